// Makes the README's pictures, one for the light and one for the dark: a photo across, and a reply that waits because Telegram said 429.

import { browser, startDemo } from './demo.mjs';
import { open } from './page.mjs';

const chromium = await browser();

async function take(scheme, path) {
  const demo = await startDemo();
  const page = await open(chromium, demo.url, { scheme, scale: 2 });
  await page.customerWrites('The last one came like this. Is it packed better now?', { photo: true });
  await page.says(page.inTelegram('The last one'), 'in Intercom');
  await page.pictured(page.inTelegram('The last one'), 'photo');
  await page.pictured(page.inIntercom('The last one'), 'picture');
  await page.turn('Telegram says 429', true);
  await page.agentWrites('Much better: in **two** boxes.');
  await page.says(page.inIntercom('Much better'), 'retrying in 7 s');
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
