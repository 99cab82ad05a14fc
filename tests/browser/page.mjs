// The demo's page in the words of those who use it.

import assert from 'node:assert/strict';

const SECOND = 1000;

export const WIDE = { width: 1280, height: 800 };
export const LOW = { width: 1280, height: 640 };
export const NARROW = { width: 390, height: 844 };

/** Opens the page, and remembers everything that a console shows. */
export async function open(browser, url, { size = WIDE, scheme = 'light', scale = 1 } = {}) {
  const context = await browser.newContext({ viewport: size, deviceScaleFactor: scale, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => { if (!request.url().startsWith(url)) complaints.push(`asked for ${request.url()}`); });
  const demo = new Page(page, complaints);
  await page.goto(url);
  await page.locator('body[data-ready]').waitFor();
  return demo;
}

const unmarked = (text) => text.replace(/\[([^\]]+)\]\(http[^)]+\)/g, '$1').replace(/[*_`]/g, '');

class Page {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  /** The messages that hold this text on either side. */
  inTelegram(text) { return this.#messages('#topic-log', text); }
  inIntercom(text) { return this.#messages('#conversation-log', text); }
  #messages(log, text) { return this.page.locator(`${log} .message`, { has: this.page.locator('.text', { hasText: text }) }); }

  async customerWrites(text, { as = 'Maria Lopez', photo = false } = {}) {
    await this.page.locator('#topic-composer select').selectOption(as);
    if (photo) await this.attach('#topic-composer');
    await this.#send('#topic-composer', text);
    await this.inTelegram(unmarked(text)).first().waitFor();
  }

  async agentWrites(text, { mode = 'Reply', as = 'Anna Weber', photo = false } = {}) {
    await this.page.locator('#conversation-composer').getByRole('button', { name: mode }).click();
    await this.page.locator('#conversation-composer select').selectOption(as);
    if (photo) await this.attach('#conversation-composer');
    await this.#send('#conversation-composer', text);
    await this.inIntercom(unmarked(text)).first().waitFor();
  }

  /** Takes the photo of a composer along. */
  async attach(form) {
    await this.page.locator(form).getByRole('button', { name: 'Photo', exact: true }).click();
    await this.page.locator(`${form} .attached`).waitFor();
  }

  /** Waits until a message shows a picture: its words below it. */
  async pictured(message, words) {
    await message.locator('figure figcaption', { hasText: words }).waitFor();
    const picture = message.locator('figure img');
    assert.ok(await picture.evaluate(async (img) => { await img.decode(); return img.naturalWidth === 480; }), 'the picture is not there');
  }

  async #send(form, text) {
    const field = this.page.locator(`${form} textarea`);
    await field.fill(text);
    await field.press('Enter');
  }

  /** Opens a topic, and with it its conversation. */
  async choose(title) {
    await this.page.locator('#topics button', { hasText: title }).click();
    await this.page.locator('#conversation-head h3', { hasText: title }).waitFor();
  }

  /** Opens a conversation, and with it its topic. */
  async chooseInIntercom(title) {
    await this.entry('conversations', title).getByRole('button').click();
    await this.page.locator('#topic-head h3', { hasText: title }).waitFor();
  }

  /** A line of the list of topics or conversations. */
  entry(list, title) { return this.page.locator(`#${list} li`, { hasText: title }); }

  /** Turns to a part of the page, where there is room for one. */
  async tab(name) {
    await this.page.locator('.tabs').getByRole('button', { name }).click();
  }

  switchFor(name) { return this.page.getByRole('switch', { name, exact: true }); }

  async turn(name, on) {
    const button = this.switchFor(name);
    if ((await button.getAttribute('aria-checked')) !== String(on)) await button.click();
    await this.turns(name, on);
  }

  /** Waits until a switch is on, or off: some turn themselves off. */
  async turns(name, on) { await this.page.getByRole('switch', { name, exact: true, checked: on }).waitFor(); }

  async kill() {
    await this.page.getByRole('button', { name: 'Kill the bridge' }).click();
    await this.page.getByText('Bridge killed').waitFor();
  }

  async start() {
    await this.page.getByRole('button', { name: 'Start the bridge' }).click();
    await this.page.getByText('Bridge running').waitFor();
  }

  /** Waits until a message's state says this. */
  async says(message, words, seconds = 10) {
    try {
      await message.locator('.state', { hasText: words }).waitFor({ timeout: seconds * SECOND });
    } catch {
      assert.fail(`a message says “${await message.locator('.state').allInnerTexts()}” and not ${words}`);
    }
  }

  /** Waits until a text stands on a side, and makes sure that it stands there once. */
  async once(messages, seconds = 10) {
    await messages.first().waitFor({ timeout: seconds * SECOND });
    assert.equal(await messages.count(), 1, 'it stands there more than once');
  }

  async order(log, first, second) {
    const texts = await this.page.locator(`${log} .message .text`).allInnerTexts();
    const at = (words) => texts.findIndex((text) => text.includes(words));
    assert.ok(at(first) >= 0 && at(first) < at(second), `“${first}” does not stand before “${second}”`);
  }

  close() { return this.page.context().close(); }
}
