// Runs every case, each with a demo and a window of its own, and ends with "N passed, N failed".

import { browser, startDemo } from './demo.mjs';
import { open } from './page.mjs';
import { cases as crossing } from './crossing.mjs';
import { cases as looks } from './looks.mjs';
import { cases as trouble } from './trouble.mjs';

const AT_ONCE = Number(process.env.AT_ONCE ?? 4);
const only = process.argv[2];

// What takes longest begins first.
const all = Object.entries({ ...trouble, ...crossing, ...looks }).filter(([name]) => !only || name.includes(only));
const waits = ({ 1: play }) => (play.toString().match(/, (\d{2,3})\)/g) ?? []).reduce((sum, found) => sum + Number(found.slice(2, -1)), 0);
const queue = [...all].sort((a, b) => waits(b) - waits(a));

const chromium = await browser();
let passed = 0;
let failed = 0;

async function play(name, steps) {
  const began = Date.now();
  const demo = await startDemo();
  let problem = null;
  try {
    const page = await open(chromium, demo.url, steps);
    try {
      await steps(page);
      if (page.complaints.length) throw new Error(`the console is not silent: ${page.complaints.join(' | ')}`);
    } finally {
      await page.close();
    }
  } catch (error) {
    problem = error;
  }
  await demo.stop();
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  if (problem) {
    failed += 1;
    console.log(`FAIL  ${name} (${seconds} s)\n      ${problem.message.split('\n').join('\n      ')}`);
  } else {
    passed += 1;
    console.log(`ok    ${name} (${seconds} s)`);
  }
}

async function worker() {
  for (let next = queue.shift(); next; next = queue.shift()) await play(...next);
}

await Promise.all(Array.from({ length: AT_ONCE }, worker));
await chromium.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
