// The page in Debian's Chromium against the real server.
//
//   node browser.mjs             run all, one JSON line a test on stdout
//   node browser.mjs NAME…       run some
//   node browser.mjs --list      names, one a line
import fs from 'node:fs';
import {
  Server, artifacts, closeContexts, closeShared, keepFailed, killServers, patient, shared,
  withCamera,
} from './browser-harness.mjs';
import { tests as accessTests } from './browser-access.mjs';
import { tests as deviceTests } from './browser-device.mjs';
import { tests as drawnTests } from './browser-drawn.mjs';
import { tests as ecosystemTests } from './browser-ecosystem.mjs';
import { tests as embedTests } from './browser-embed.mjs';
import { tests as integrationTests } from './browser-integrations.mjs';
import { tests as languageTests } from './browser-language.mjs';
import { tests as liveTests } from './browser-live.mjs';
import { tests as oldTests } from './browser-old.mjs';
import { tests as pageTests } from './browser-page.mjs';
import { tests as readerTests } from './browser-reader.mjs';
import { tests as shopTests } from './browser-shop.mjs';
import { tests as shopperTests } from './browser-shopper.mjs';

// A limit for a test that hangs; what a test waits for has a limit of its own (until).
const testS = 600;

const tests = {
  ...pageTests,
  ...shopTests,
  ...languageTests,
  ...embedTests,
  ...accessTests,
  ...shopperTests,
  ...readerTests,
  ...liveTests,
  ...drawnTests,
  ...deviceTests,
  ...oldTests,
  ...ecosystemTests,
  ...integrationTests,
};

async function main(wanted) {
  if (wanted[0] === '--list') {
    console.log(Object.keys(tests).join('\n'));
    return;
  }
  fs.mkdirSync(artifacts, { recursive: true });
  const server = await new Server(patient).start();
  const browser = await shared([withCamera]);
  for (const [name, run] of Object.entries(tests)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const start = Date.now();
    let timer;
    try {
      const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`took more than ${testS} s`)), testS * 1000);
      });
      const detail = await Promise.race([run({ browser, server }), limit]);
      console.log(JSON.stringify({ name, ok: true, ms: Date.now() - start, detail }));
    } catch (error) {
      await keepFailed(name);
      console.log(JSON.stringify({ name, ok: false, ms: Date.now() - start, error: error.stack }));
    } finally {
      clearTimeout(timer);
      await closeContexts();
    }
  }
  await closeShared();
  await killServers();
}

await main(process.argv.slice(2));
