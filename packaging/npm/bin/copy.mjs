#!/usr/bin/env node
// Copies the package's files to a folder that a web server serves.
//
//   npx lacquer-tryon public/lacquer-tryon
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [folder, ...more] = process.argv.slice(2);
if (!folder || folder.startsWith('-') || more.length) {
    console.error('Usage: lacquer-tryon DIR    copies the files of <lacquer-tryon> to DIR');
    process.exit(2);
}
try {
    cpSync(fileURLToPath(new URL('../dist/', import.meta.url)), folder, { recursive: true });
} catch (error) {
    console.error(`lacquer-tryon: cannot copy to '${folder}': ${error.message}`);
    process.exit(1);
}
console.log(`copied to ${folder}; serve it, and call defineTryon({ assets: its URL })`);
