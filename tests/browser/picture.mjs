// Makes the README's pictures, one for the light and one for the dark: a message across, and a reply that waits because Telegram said 429.

import { browser, startDemo } from './demo.mjs';
import { open } from './page.mjs';

const chromium = await browser();

async function take(scheme, path) {
  const demo = await startDemo();
  const page = await open(chromium, demo.url, { scheme, scale: 2 });
  await page.customerWrites('Do I have to be at home for it?');
  await page.says(page.inTelegram('Do I have to'), 'in Intercom');
  await page.once(page.inIntercom('Do I have to'));
  await page.turn('Telegram says 429', true);
  await page.agentWrites('Only to sign: the van comes between **9 and 11**.');
  await page.says(page.inIntercom('Only to sign'), 'retrying in 7 s');
  await page.turn('Everything comes twice', true);
  await page.page.mouse.move(0, 0);
  await page.page.evaluate(() => document.activeElement.blur());
  await page.page.screenshot({ path });
  await page.close();
  await demo.stop();
}

const [light, dark] = process.argv.slice(2);
await take('light', light);
await take('dark', dark);
await chromium.close();
