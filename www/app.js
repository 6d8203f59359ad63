/* app.js: asks the server that sent this page who it is, and puts five requests to it.
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

async function showServer() {
  const response = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' });
  const field = (name) => response.headers.get(name) || '\u2013';
  showEngine(engineOfNavigation() || engineOf(response.headers.get('server-timing')));
  element('server').textContent = field('server');
  element('type').textContent = field('content-type');
  element('etag').textContent = field('etag');
}

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
showServer().catch(() => showEngine(engineOfNavigation())).then(askAll);
