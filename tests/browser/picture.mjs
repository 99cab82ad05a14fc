// Makes the README's picture: an exchange, and a reply that waits because Telegram said 429.

import { browser, startDemo } from './demo.mjs';
import { open } from './page.mjs';

const chromium = await browser();
const demo = await startDemo();
const page = await open(chromium, demo.url);
await page.turn('Telegram says 429', true);
await page.agentWrites('You are welcome! Here is the **new time**: between __9 and 11__.');
await page.says(page.inIntercom('You are welcome!'), 'retrying in 7 s');
await page.turn('Everything comes twice', true);
await page.page.mouse.move(0, 0);
await page.page.evaluate(() => document.activeElement.blur());
await page.page.screenshot({ path: process.argv[2] });
await page.close();
await demo.stop();
await chromium.close();
