// kubernetes_models.mjs FOLDER: reads a JSON array of Kubernetes objects from standard input and checks each against the schema of its kind, with
// the npm package kubernetes-models in FOLDER/node_modules. Prints one line a fault. Fields that a schema does not know pass: test_deploy.py
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const root = `${process.argv[2]}/node_modules/kubernetes-models`;
let text = "";
for await (const chunk of process.stdin) text += chunk;

for (const object of JSON.parse(text)) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const path = `${root}/${object.apiVersion}/index.js`;
  const kinds = existsSync(path) ? await import(pathToFileURL(path)) : {};
  if (!kinds[object.kind]) {
    console.log(`${name}: no such kind in ${object.apiVersion}`);
    continue;
  }
  try {
    new kinds[object.kind](object).validate();
  } catch (fault) {
    console.log(`${name}: ${fault.message}`);
  }
}
