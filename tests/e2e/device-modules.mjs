// The page's modules for Node, which needs a package.json to recognise them as modules: a copy
// beside one.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const web = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../web');
const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'lacquer-'));
for (const folder of ['device', 'live'])
  fs.cpSync(path.join(web, folder), path.join(copy, folder), { recursive: true });
fs.writeFileSync(path.join(copy, 'package.json'), '{"type": "module"}');
process.on('exit', () => fs.rmSync(copy, { recursive: true }));

export const load = (file) => import(path.join(copy, file));
