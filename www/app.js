/* app.js: asks the server that sent this page who it is, again and again, so that a change of the
 * engine shows; and puts five requests to it.
 * Standard means only: the Server-Timing field (W3C), HEAD, conditional and range requests. */
'use strict';

const element = (id) => document.getElementById(id);

/* "engine;desc=reactor, other;dur=1" -> "reactor"; null when there is no such metric. */
function engineOf(serverTiming) {
  const found = /(?:^|,)\s*engine\s*;(?:[^,]*;)?\s*desc\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/.exec(serverTiming || '');
  return found ? found[1] || found[2] : null;
}

/* The navigation itself carries the field, but only in a secure context; else the HEAD below. */
function engineOfNavigation() {
  const [navigation] = performance.getEntriesByType('navigation');
  const metric = (navigation?.serverTiming || []).find(({ name }) => name === 'engine');
  return metric ? metric.description : null;
}

function showEngine(name) {
  const place = element('engine');
  place.classList.toggle('unknown', !name);
  place.textContent = name || 'a server that does not say (no Server-Timing field)';
  if (!name) return;
  element('gate').dataset.engine = name;
  document.querySelectorAll('.card').forEach((card) => {
    card.classList.toggle('serving', card.id === `card-${name}`);
  });
}

/* ---- the drive: this page, asked for again and again ---- */

const PACES = { cruise: { loops: 1, pause: 500 }, throttle: { loops: 6, pause: 20 } };
const OVERLAP = 250; /* ms in which answers of the engine before and of the new one may alternate */
const SHOWN_MAX = 12; /* gears */
const drive = { answered: 0, failed: 0, connections: 0, seen: 0, gears: [], turn: 0 };

const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

function shown() {
  return new Promise((done) => {
    if (!document.hidden) done();
    else document.addEventListener('visibilitychange', () => shown().then(done), { once: true });
  });
}

/* An answer to a request that was sent at `sent`: of the present gear, of the one before, or of
 * a new one. */
function noteGear(name, sent) {
  const { gears } = drive;
  const present = gears.at(-1);
  const before = gears.at(-2);
  if (present?.name === name) {
    present.answers += 1;
  } else if (before?.name === name && sent < present.since + OVERLAP) {
    before.answers += 1;
  } else {
    gears.push({ name, answers: 1, since: performance.now() });
    if (gears.length > SHOWN_MAX) gears.shift();
    drive.seen += 1;
    showEngine(name);
    if (present)
      element('shifted').textContent = `Shifted from ${present.name} to ${name}; ${drive.failed} requests failed.`;
  }
}

function showDrive() {
  element('answered').textContent = drive.answered.toLocaleString('en');
  element('failed').textContent = drive.failed.toLocaleString('en');
  element('seen').textContent = drive.seen;
  element('connections').textContent = drive.connections;
  element('drive').classList.toggle('bad', drive.failed > 0);
  element('gears').replaceChildren(...drive.gears.map(({ name, answers }) => {
    const item = document.createElement('li');
    item.textContent = `${name} ${answers.toLocaleString('en')}`;
    return item;
  }));
}

async function askForSelf() {
  const sent = performance.now();
  try {
    const response = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    drive.answered += 1;
    const name = engineOf(response.headers.get('server-timing'));
    if (name) noteGear(name, sent);
    else if (drive.answered === 1) showEngine(engineOfNavigation());
  } catch (error) {
    if (drive.leaves) return; /* it was given up here */
    drive.failed += 1;
    element('shifted').textContent = `A request failed: ${error.message}`;
  }
  showDrive();
}

async function go(turn, pause) {
  while (drive.turn === turn) {
    await shown();
    await askForSelf();
    await sleep(pause);
  }
}

function drives({ loops, pause }) {
  drive.turn += 1;
  for (let i = 0; i < loops; i += 1) go(drive.turn, pause);
}

/* A connection that a request had to open, rather than use again, has taken time to be opened. */
function countConnections() {
  new PerformanceObserver((list) => {
    drive.connections += list.getEntries().filter((entry) => entry.connectEnd > entry.connectStart).length;
    performance.clearResourceTimings();
  }).observe({ type: 'resource', buffered: true });
}

/* The status page of the server, where there is one, and this machine may see it. */
async function showInside() {
  const all = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
  for (let old = null; ; await sleep(1000)) {
    await shown();
    const response = await fetch('status?format=json', { cache: 'no-store' });
    if (!response.ok) return;
    const now = await response.json();
    const [at, requests, cpu] = [performance.now(), all(now.requests_total), now.cpu_seconds_total];
    if (old) {
      const seconds = (at - old.at) / 1000;
      const rate = Math.max(0, (requests - old.requests) / seconds).toFixed(0);
      const share = Math.max(0, ((cpu - old.cpu) / seconds) * 100).toFixed(1);
      element('counters').textContent = `${rate} requests/s, ${share} % CPU, 99 % within ${(now.answer_seconds.p99 * 1000).toFixed(2)} ms;`;
      element('inside').hidden = false;
    }
    old = { at, requests, cpu };
  }
}

const throttle = element('throttle');
throttle.addEventListener('click', () => {
  const pressed = throttle.getAttribute('aria-pressed') !== 'true';
  throttle.setAttribute('aria-pressed', pressed);
  drives(pressed ? PACES.throttle : PACES.cruise);
});
addEventListener('pagehide', () => { drive.leaves = true; });
addEventListener('pageshow', () => { drive.leaves = false; });

/* ---- five requests ---- */


/* Each request: how it is sent, and whether the answer is the expected one. */
const requests = {
  head: { url: 'style.css', method: 'HEAD', good: (r, body) => r.status === 200 && body === 0 },
  range: { url: 'style.css', headers: { Range: 'bytes=0-15' }, good: (r, body) => r.status === 206 && body === 16 },
  match: { url: 'style.css', conditional: true, good: (r, body) => r.status === 304 && body === 0 },
  beyond: { url: 'style.css', headers: { Range: 'bytes=1073741824-' }, good: (r) => r.status === 416 },
  missing: { url: 'no/such/page', good: (r, body) => r.status === 404 && body > 0 },
};

async function ask({ url, method = 'GET', headers = {}, conditional = false }) {
  if (conditional) {
    const before = await fetch(url, { method: 'HEAD', cache: 'no-store' });
    headers = { 'If-None-Match': before.headers.get('etag') || '"none"' };
  }
  const start = performance.now();
  const response = await fetch(url, { method, headers, cache: 'no-store' });
  const body = (await response.arrayBuffer()).byteLength;
  return { response, body, elapsed: performance.now() - start };
}

function describe({ status, headers }, body) {
  const range = headers.get('content-range');
  return [status, range, body ? `${body.toLocaleString('en')} octets` : 'no body'].filter(Boolean).join(', ');
}

async function askAll() {
  const button = element('again');
  button.disabled = true;
  for (const row of element('requests').rows) {
    const request = requests[row.dataset.request];
    const [, , answer, time] = row.cells;
    try {
      const { response, body, elapsed } = await ask(request);
      answer.textContent = describe(response, body);
      answer.className = request.good(response, body) ? 'ok' : 'off';
      time.textContent = `${elapsed.toFixed(1)} ms`;
    } catch (error) {
      answer.textContent = error.message;
      answer.className = 'off';
    }
  }
  button.disabled = false;
  button.hidden = false;
}

element('again').addEventListener('click', askAll);
throttle.hidden = false;
countConnections();
askForSelf().then(askAll).then(() => {
  drives(PACES.cruise);
  return showInside();
}).catch(() => { element('inside').hidden = true; });
