// How the page looks and how it is used: sizes, colours, keyboard.

import assert from 'node:assert/strict';
import { NARROW } from './page.mjs';

export const cases = {
  async 'fits 1280×800'(demo) {
    for (const id of ['#topic-composer textarea', '#conversation-composer .send', '#power', '#lab-about', '#new-topic']) {
      await isInside(demo.page, id);
    }
    await hasNoSideScroll(demo.page);
    await isReadable(demo);
    await demo.customerWrites('It came like this.', { photo: true });
    await demo.agentWrites('It stands here.', { photo: true });
    await demo.pictured(demo.inIntercom('It came like this.'), 'picture');
    await demo.pictured(demo.inTelegram('It stands here.'), 'photo');
    for (const form of ['#topic-composer', '#conversation-composer']) {
      await demo.attach(form);
      for (const part of ['.photo', '.attached', '.send']) await isInside(demo.page, `${form} ${part}`);
    }
    await hasNoSideScroll(demo.page);
    await isReadable(demo);
  },

  'is readable in the dark': Object.assign(async (demo) => {
    await isReadable(demo);
    await demo.turn('Telegram says 429', true);
    await demo.agentWrites('In the dark.');
    await demo.says(demo.inIntercom('In the dark.'), 'retrying');
    await isReadable(demo);
  }, { scheme: 'dark' }),

  'states are readable in the light': Object.assign(async (demo) => {
    await demo.turn('Telegram refuses', true);
    await demo.agentWrites('In the light.');
    await demo.says(demo.inIntercom('In the light.'), 'not delivered');
    await demo.turn('Telegram is down', true);
    await demo.kill();
    await isReadable(demo);
    await demo.page.getByRole('button', { name: 'Note', exact: true }).click();
    await demo.page.locator('#new-topic').click();
    await isReadable(demo);
  }, { scheme: 'light' }),

  async 'a countdown is not read out'(demo) {
    await demo.turn('Telegram says 429', true);
    await demo.agentWrites('One, two, three.');
    await demo.says(demo.inIntercom('One, two, three.'), 'retrying');
    const next = demo.page.locator('.next');
    assert.equal(await next.getAttribute('aria-live'), 'off');
    // What is read out with each change is what the change adds: not the message once more.
    await demo.inIntercom('One, two, three.').locator('.text').evaluate((text) => { text.dataset.same = 'yes'; });
    await demo.says(demo.inIntercom('One, two, three.'), 'in Telegram', 20);
    assert.equal(await demo.inIntercom('One, two, three.').locator('.text').getAttribute('data-same'), 'yes');
  },

  'fits 390×844': Object.assign(async (demo) => onAPhone(demo), { size: NARROW }),
  'fits 390×844 in the dark': Object.assign(async (demo) => onAPhone(demo), { size: NARROW, scheme: 'dark' }),
  'heals on a phone': Object.assign(async (demo) => troubleOnAPhone(demo), { size: NARROW }),

  async 'works with the keyboard alone'(demo) {
    const { page } = demo;
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    await press('Tab');
    assert.equal(await focused(page), 'topics', 'the first stop is the list of topics');
    await press('End');
    await page.locator('#topic-head h3', { hasText: 'Return label' }).waitFor();
    await press('ArrowUp');
    await page.locator('#topic-head h3', { hasText: 'Gift cards' }).waitFor();
    await tabTo(page, '#topic-composer textarea');
    await page.keyboard.type('Red, ');
    await press('Control+b');
    await page.keyboard.type('please');
    await press('ArrowRight', 'ArrowRight', 'Shift+Enter');
    await page.keyboard.type('and soon.');
    await press('Enter');
    const arrived = demo.inIntercom('Red, please');
    await demo.once(arrived);
    assert.match(await arrived.locator('.text').innerHTML(), /Red, <b>please<\/b><br>and soon\./);
    await tabTo(page, '#power');
    await tabTo(page, '#conversation-composer textarea');
    await page.keyboard.type('Red it is.');
    await press('Enter');
    await demo.once(demo.inTelegram('Red it is.'));
    await tabTo(page, '#switches button');
    await press('Space');
    await page.locator('#switches [aria-checked=true]').waitFor();
    assert.match(await page.locator('#lab-about').innerText(), /retry after/);
    assert.ok(await page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2), 'focus is seen');
  },

  async 'closing a conversation leaves the keyboard where it is'(demo) {
    const { page } = demo;
    await page.getByRole('button', { name: 'Close', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#conversation-head .status', { hasText: 'closed' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.innerText), 'Reopen');
    await page.keyboard.press('Enter');
    await page.locator('#conversation-head .status', { hasText: 'open' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.innerText), 'Close');
  },

  async 'a topic is opened with the keyboard alone'(demo) {
    const { page } = demo;
    await tabTo(page, '#new-topic');
    await page.keyboard.press('Enter');
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Tab');
    await page.keyboard.type('No mouse here.');
    await page.keyboard.press('Enter');
    await demo.once(demo.inIntercom('No mouse here.'));
    assert.equal(await focused(page), 'topic-composer');
  },
};

async function onAPhone(demo) {
  const { page } = demo;
  for (const [tab, form] of [['Telegram', '#topic-composer'], ['Intercom', '#conversation-composer']]) {
    await demo.tab(tab);
    await demo.attach(form);
    await isInside(page, `${form} .attached`);
    await isInside(page, `${form} .photo`);
    await hasNoSideScroll(page);
    await isReadable(demo);
    await page.locator(`${form} .attached button`).click();
  }
  for (const tab of ['Telegram', 'Intercom', 'Faults']) {
    await demo.tab(tab);
    await hasNoSideScroll(page);
    await isReadable(demo);
    await isInside(page, '#power');
    if (tab !== 'Faults') await isInside(page, `.pane.${tab.toLowerCase()} .send`);
  }
  await demo.tab('Telegram');
  await demo.customerWrites('From the bus.');
  await page.locator('.tabs').getByRole('button', { name: /Intercom/ }).locator('.badge').waitFor();
  await demo.tab('Intercom');
  await demo.once(demo.inIntercom('From the bus.'));
  await isInside(page, '#conversation-log .message:last-child');
}

/** A fault is switched on and heals, the bridge is killed and started, and a topic is opened: each on its own part of the page. */
async function troubleOnAPhone(demo) {
  const { page } = demo;
  await demo.tab('Faults');
  await demo.turn('Telegram says 429', true);
  await demo.tab('Intercom');
  await demo.agentWrites('The next bus stops at the depot.');
  const reply = demo.inIntercom('The next bus');
  await demo.says(reply, /Telegram said 429.*retrying in \d s/);
  await isInside(page, '#conversation-log .message:last-child .state');
  await hasNoSideScroll(page);
  await isReadable(demo);
  await demo.says(reply, 'in Telegram', 20);
  await page.locator('.tabs').getByRole('button', { name: /Telegram/ }).locator('.badge', { hasText: '2' }).waitFor();
  await demo.tab('Telegram');
  await demo.once(demo.inTelegram('The next bus'));
  await isInside(page, '#topic-log .message:last-child');
  await demo.tab('Faults');
  await demo.kill();
  await isReadable(demo);
  await demo.start();
  await demo.tab('Telegram');
  await page.locator('#new-topic').click();
  for (const id of ['#topic-person', '#topic-title', '#topic-text', '#topic-cancel']) await isInside(page, id);
  await isReadable(demo);
  await page.getByLabel('Title').fill('Lost umbrella');
  await page.getByLabel('First message').fill('It is red.');
  await page.getByRole('button', { name: 'Open topic' }).click();
  await demo.inTelegram('It is red.').waitFor();
  await demo.says(demo.inTelegram('It is red.'), 'in Intercom', 20);
  await demo.tab('Intercom');
  await demo.once(demo.inIntercom('It is red.'));
}

async function isInside(page, selector) {
  const box = await page.locator(selector).boundingBox();
  const { width, height } = page.viewportSize();
  const fits = box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  assert.ok(fits, `${selector} is not inside the window: ${JSON.stringify(box)}`);
}

async function hasNoSideScroll(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `the page is ${over} px too wide`);
}

const focused = (page) => page.evaluate(() => document.activeElement.closest('[id]').id);

async function tabTo(page, selector) {
  for (let stops = 0; stops < 40; stops += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`the Tab key does not come to ${selector}`);
}

/** WCAG 2.2 AA: 4.5 to 1, or 3 to 1 for large text and for the edges of what can be written in. */
async function isReadable({ page }) {
  const faint = await page.evaluate(() => {
    const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const over = (top, below) => {
      const alpha = top[3] ?? 1;
      return [0, 1, 2].map((at) => top[at] * alpha + below[at] * (1 - alpha));
    };
    const behind = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        layers.push(color);
        if ((color[3] ?? 1) === 1) break;
      }
      return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const light = (color) => {
      const [r, g, b] = color.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratioOf = (one, other) => {
      const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    };
    const found = new Set();
    for (const field of document.querySelectorAll('textarea, input, :not(.author) > select')) {
      if (!field.checkVisibility({ visibilityProperty: true })) continue;
      const around = behind(field.parentElement);
      const ratio = ratioOf(over(channels(getComputedStyle(field).borderTopColor), around), around);
      if (ratio < 3) found.add(`the edge of ${field.id || field.ariaLabel} (${ratio.toFixed(2)})`);
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || element.closest('.hidden, :disabled') || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const style = getComputedStyle(element);
      const back = behind(element);
      const size = parseFloat(style.fontSize);
      const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      const ratio = ratioOf(over(channels(style.color), back), back);
      if (ratio < wanted) found.add(`${texts.currentNode.data.trim().slice(0, 30)} (${ratio.toFixed(2)})`);
    }
    return [...found];
  });
  assert.deepEqual(faint, [], 'text that is too faint');
}
