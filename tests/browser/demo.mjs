// A demo of its own for each test, and the browser that looks at it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const PROGRAM = process.env.BRIDGECTL ?? 'target/debug/bridgectl';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts a browser. */
export function browser() {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
}

/** Starts a demo; tells where it is and how to end it. */
export async function startDemo() {
  const child = spawn(PROGRAM, ['demo', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = line.match(/http:\S+/) ?? [];
    if (!url) continue;
    const stop = () => { child.kill(); return ended; };
    return { url, stop };
  }
  throw new Error(`${PROGRAM} demo ended before it said where it is`);
}

