// What is written on one side is read on the other.

import assert from 'node:assert/strict';
import { LOW } from './page.mjs';

export const cases = {
  async 'a customer is read in Intercom, with formatting'(demo) {
    await demo.customerWrites('It is **very** __urgent__, code `X-1`');
    const arrived = demo.inIntercom('It is very urgent, code X-1');
    await demo.once(arrived);
    assert.match(await arrived.locator('.text').innerHTML(), /<b>very<\/b> <i>urgent<\/i>, code <code>X-1<\/code>/);
    await demo.says(demo.inTelegram('It is very urgent'), 'in Intercom');
  },

  async 'an agent is read in Telegram, with formatting and a link'(demo) {
    await demo.agentWrites('We **did** it: [the page](https://example.com/a?b=1)');
    const arrived = demo.inTelegram('We did it: the page');
    await demo.once(arrived);
    assert.match(await arrived.locator('.text').innerHTML(), /<b>Anna<\/b>\nWe <b>did<\/b> it/);
    assert.equal(await arrived.locator('.text a').getAttribute('href'), 'https://example.com/a?b=1');
    await demo.says(demo.inIntercom('We did it'), 'in Telegram');
  },

  async 'a photo of a customer is seen in Intercom'(demo) {
    await demo.customerWrites('It came like **this**.', { photo: true });
    await demo.pictured(demo.inTelegram('It came like this.'), /^photo$/);
    const arrived = demo.inIntercom('It came like this.');
    await demo.once(arrived);
    await demo.pictured(arrived, /^picture · photo-.*\.jpg$/);
    await demo.says(demo.inTelegram('It came like this.'), 'in Intercom');
    assert.equal(await demo.page.locator('#topic-composer .attached').isVisible(), false, 'it was sent');
  },

  async 'a photo of an agent is seen in Telegram'(demo) {
    await demo.agentWrites('It stands **here**.', { photo: true });
    await demo.pictured(demo.inIntercom('It stands here.'), 'picture · shelf.jpg');
    const arrived = demo.inTelegram('It stands here.');
    await demo.once(arrived);
    await demo.pictured(arrived, /^photo( · shelf.jpg)?$/);
    await demo.says(demo.inIntercom('It stands here.'), 'in Telegram');
    assert.equal(await demo.inTelegram('[file]').count(), 0, 'it is no link');
  },

  async 'a photo needs no words, and can be left out again'(demo) {
    const { page } = demo;
    const sent = (log) => page.locator(`${log} .message figure`);
    const before = await sent('#conversation-log').count();
    await demo.attach('#topic-composer');
    await page.getByRole('button', { name: 'Without the photo' }).click();
    await page.locator('#topic-composer textarea').press('Enter');
    await demo.attach('#topic-composer');
    await page.locator('#topic-composer .send').click();
    await sent('#conversation-log').nth(before).waitFor();
    await demo.entry('topics', 'Order 1042').locator('.entry-said', { hasText: 'Maria: photo' }).waitFor();
    await demo.customerWrites('That was all.');
    await demo.once(demo.inIntercom('That was all.'));
    assert.equal(await sent('#conversation-log').count(), before + 1);
  },

  async 'a photo waits with its draft, and a note has none'(demo) {
    const { page } = demo;
    await demo.attach('#conversation-composer');
    await demo.choose('Gift cards');
    assert.equal(await page.locator('#conversation-composer .attached').isVisible(), false, 'it is for another conversation');
    await demo.choose('Order 1042');
    await page.locator('#conversation-composer .attached').waitFor();
    await page.getByRole('button', { name: 'Note', exact: true }).click();
    await page.locator('#conversation-composer .attached').waitFor({ state: 'hidden' });
    assert.equal(await page.locator('#conversation-composer').getByRole('button', { name: 'Photo', exact: true }).count(), 0);
  },

  async 'a photo of this morning stands in both'(demo) {
    await demo.choose('Size exchange');
    await demo.pictured(demo.inTelegram('The box is a bit dented'), /^photo$/);
    await demo.pictured(demo.inIntercom('The box is a bit dented'), /^picture · /);
  },

  async 'a note stays in Intercom'(demo) {
    await demo.agentWrites('Between us: a refund is fine.', { mode: 'Note' });
    await demo.agentWrites('We look into it.');
    await demo.once(demo.inTelegram('We look into it.'));
    assert.equal(await demo.inTelegram('Between us').count(), 0);
    await demo.inIntercom('Between us').locator('.tag', { hasText: 'internal note' }).waitFor();
  },

  async 'a colleague in Telegram answers as an admin, without an echo'(demo) {
    await demo.customerWrites('The van was seen on your street.', { as: 'Sam Hill (staff)' });
    const arrived = demo.inIntercom('The van was seen on your street.');
    await demo.once(arrived);
    await demo.says(arrived, 'written in Telegram');
    await demo.customerWrites('I see it!');
    await demo.once(demo.inIntercom('I see it!'));
    assert.equal(await demo.inTelegram('The van was seen').count(), 1);
  },

  async 'a new topic becomes a new conversation'(demo) {
    const { page } = demo;
    await page.getByRole('button', { name: 'New topic' }).click();
    await page.getByLabel('As', { exact: true }).selectOption('Ken Adeyemi');
    await page.getByLabel('Title').fill('Broken lamp');
    await page.getByLabel('First message').fill('It flickers.');
    await page.getByRole('button', { name: 'Open topic' }).click();
    await demo.once(demo.inTelegram('It flickers.'));
    await page.locator('#conversation-head h3', { hasText: 'Broken lamp' }).waitFor();
    await demo.once(demo.inIntercom('It flickers.'));
    await demo.agentWrites('Which bulb is in it?');
    await demo.once(demo.inTelegram('Which bulb is in it?'));
  },

  async 'a closed conversation is opened again by its customer'(demo) {
    const { page } = demo;
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.locator('#conversation-head .status', { hasText: 'closed' }).waitFor();
    await page.locator('#conversation-log .event', { hasText: 'closed the conversation' }).waitFor();
    await demo.customerWrites('One more thing.');
    await demo.once(demo.inIntercom('One more thing.'));
    await page.locator('#conversation-head .status', { hasText: 'open' }).waitFor();
  },

  async 'nothing that is typed becomes markup'(demo) {
    const typed = '<img src=x onerror=alert(1)> & <b>no</b> [x](javascript:alert(1))';
    await demo.customerWrites(typed);
    await demo.once(demo.inIntercom(typed));
    await demo.agentWrites(typed);
    await demo.inTelegram(typed).nth(1).waitFor();
    assert.equal(await demo.page.locator('.text img, .text script, .text a[href^=javascript]').count(), 0);
  },

  async 'what was not read yet is marked on both sides'(demo) {
    const { page } = demo;
    await demo.entry('topics', 'March invoice').locator('.badge', { hasText: '1' }).waitFor();
    await demo.choose('March invoice');
    await demo.entry('topics', 'March invoice').locator('.badge').waitFor({ state: 'detached' });
    await page.locator('#topic-log .message', { hasText: 'What is the VAT number?' }).waitFor();
    await demo.entry('conversations', 'New address').locator('.badge', { hasText: '1' }).waitFor();
    await demo.chooseInIntercom('New address');
    await demo.entry('conversations', 'New address').locator('.badge').waitFor({ state: 'detached' });
    await page.reload();
    await demo.entry('conversations', 'Size exchange').locator('.badge', { hasText: '1' }).waitFor();
    assert.equal(await demo.entry('conversations', 'New address').locator('.badge').count(), 0, 'what was read stays read');
    assert.equal(await demo.entry('topics', 'March invoice').locator('.badge').count(), 0, 'what was read stays read');
  },

  async 'whoever opens a topic writes as its customer'(demo) {
    await demo.choose('March invoice');
    await demo.page.locator('#topic-composer textarea').fill('It is DE 123.');
    await demo.page.locator('#topic-composer textarea').press('Enter');
    await demo.inIntercom('It is DE 123.').locator('.by', { hasText: 'Ken Adeyemi' }).waitFor();
    await demo.once(demo.inIntercom('It is DE 123.'));
  },

  async 'what fails, and what waits, has a mark of its own in the list'(demo) {
    await demo.entry('conversations', 'Holiday hours').locator('.failed').waitFor();
    // The reply is told 4 s late: time enough to read something else, so that the bridge's word about it comes unseen.
    await demo.turn('Webhooks out of order', true);
    await demo.turn('Telegram refuses', true);
    await demo.agentWrites('Nobody will read this.');
    const entry = demo.entry('conversations', 'Order 1042');
    await entry.locator('.waits').waitFor();
    await demo.choose('Gift cards');
    await entry.locator('.failed').waitFor({ timeout: 20_000 });
    await entry.locator('.badge', { hasText: '1' }).waitFor();
    await demo.page.locator('#gave-up', { hasText: '2 not delivered' }).waitFor();
    await demo.chooseInIntercom('Order 1042');
    await entry.locator('.badge').waitFor({ state: 'detached' });
    assert.equal(await entry.locator('.failed').count(), 1, 'it has still failed');
  },

  'what comes in below is not read until it is seen': Object.assign(async (demo) => {
    const { page } = demo;
    await page.locator('#topic-log').evaluate((log) => { log.scrollTop = 0; });
    const jump = page.locator('#topic-jump');
    await jump.waitFor();
    await demo.agentWrites('It comes in below.');
    await demo.inTelegram('It comes in below.').waitFor();
    await page.getByRole('button', { name: 'To the newest message: 1 new' }).waitFor();
    await demo.entry('topics', 'Order 1042').locator('.badge', { hasText: '1' }).waitFor();
    assert.equal(await page.locator('#topic-log').evaluate((log) => log.scrollTop), 0, 'the reader is left where they read');
    await jump.click();
    await demo.entry('topics', 'Order 1042').locator('.badge').waitFor({ state: 'detached' });
    await jump.waitFor({ state: 'hidden' });
    assert.ok(await page.locator('#topic-log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2), 'the end is shown');
  }, { size: LOW }),

  'the newest message is seen when the page opens': Object.assign(async (demo) => {
    for (const side of ['topic', 'conversation']) {
      const below = await demo.page.locator(`#${side}-log`).evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
      assert.ok(below < 2, `${below} px of the ${side} are below`);
      assert.ok(await demo.page.locator(`#${side}-jump`).isHidden(), 'there is nowhere to jump to');
    }
  }, { size: LOW }),

  async 'it begins in the middle of a day\'s work'(demo) {
    const { page } = demo;
    const texts = (selector) => page.locator(selector).allInnerTexts();
    for (const list of ['topics', 'conversations']) {
      assert.equal(await page.locator(`#${list} li`).count(), 7);
      assert.equal(new Set(await texts(`#${list} time`)).size, 7, 'no two times are the same');
      const colours = await page.locator(`#${list} .avatar`).evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
      assert.equal(new Set(colours).size, 7, 'no two colours are the same');
    }
    await demo.entry('conversations', 'Return label').locator('.closed').waitFor();
    assert.match(await demo.entry('topics', 'March invoice').innerText(), /Jonas: Of course, Ken/, 'who answered, not who brought it');
  },
};
