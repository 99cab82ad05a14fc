// Faults strike, and heal: nothing is lost, nothing is doubled, and each state is told.

import assert from 'node:assert/strict';

export const cases = {
  async 'a 429 is waited for'(demo) {
    await demo.turn('Telegram says 429', true);
    await demo.agentWrites('It left the depot.');
    const reply = demo.inIntercom('It left the depot.');
    await demo.says(reply, /Telegram said 429.*retrying in \d s/);
    assert.equal(await demo.inTelegram('It left the depot.').count(), 0);
    await demo.turns('Telegram says 429', false);
    await demo.says(reply, 'in Telegram', 20);
    await demo.once(demo.inTelegram('It left the depot.'));
  },

  async 'Telegram is down, and comes back'(demo) {
    await demo.turn('Telegram is down', true);
    await demo.agentWrites('First answer.');
    await demo.agentWrites('Second answer.');
    await demo.says(demo.inIntercom('First answer.'), /Telegram cannot be reached.*retrying/);
    await demo.says(demo.inIntercom('Second answer.'), 'waits for the message before it');
    await demo.turn('Telegram is down', false);
    await demo.once(demo.inTelegram('First answer.'), 40);
    await demo.once(demo.inTelegram('Second answer.'), 20);
    await demo.order('#topic-log', 'First answer.', 'Second answer.');
    await demo.says(demo.inIntercom('First answer.'), /in Telegram.*after \d+ tries/);
  },

  async 'Intercom is down, and comes back'(demo) {
    await demo.turn('Intercom is down', true);
    await demo.customerWrites('Anybody there?');
    await demo.says(demo.inTelegram('Anybody there?'), /Intercom cannot be reached.*retrying/);
    await demo.turn('Intercom is down', false);
    await demo.once(demo.inIntercom('Anybody there?'), 40);
  },

  async 'an answer of Intercom is lost: the bridge looks before it sends again'(demo) {
    await demo.turn('Answer gets lost', true);
    await demo.customerWrites('Is it still coming?');
    await demo.customerWrites('I am at home until six.');
    await demo.says(demo.inTelegram('Is it still coming?'), /Intercom gave no answer.*looks in \d+ s/);
    await demo.says(demo.inTelegram('I am at home until six.'), 'waits for the message before it');
    await demo.says(demo.inTelegram('Is it still coming?'), 'in Intercom', 90);
    await demo.once(demo.inIntercom('I am at home until six.'), 20);
    await demo.once(demo.inIntercom('Is it still coming?'));
    await demo.order('#conversation-log', 'Is it still coming?', 'I am at home until six.');
  },

  async 'Intercom answers 500'(demo) {
    await demo.turn('Intercom says 500', true);
    await demo.customerWrites('Please call me.');
    await demo.says(demo.inTelegram('Please call me.'), 'Intercom gave no answer');
    await demo.says(demo.inTelegram('Please call me.'), 'in Intercom', 90);
    await demo.once(demo.inIntercom('Please call me.'));
  },

  async 'what Telegram refuses is told, and can be sent again'(demo) {
    await demo.turn('Telegram refuses', true);
    await demo.agentWrites('Here is your code.');
    const reply = demo.inIntercom('Here is your code.');
    await demo.says(reply, /not delivered: Telegram refused it/);
    await demo.inIntercom('Not delivered to Telegram').waitFor();
    await reply.getByRole('button', { name: 'Send again' }).press('Enter');
    await demo.once(demo.inTelegram('Here is your code.'), 20);
    await demo.says(reply, 'in Telegram');
    assert.ok(await reply.evaluate((message) => message === document.activeElement), 'the keyboard stays at the message');
  },

  async 'only what is sent again is sent again'(demo) {
    await demo.turn('Telegram refuses', true);
    await demo.agentWrites('Here is your code.');
    const reply = demo.inIntercom('Here is your code.');
    await reply.getByRole('button', { name: 'Send again' }).click();
    await demo.once(demo.inTelegram('Here is your code.'), 20);
    await demo.choose('Holiday hours');
    await demo.says(demo.inIntercom('Yes Ben, until noon.'), 'not delivered');
    assert.equal(await demo.inTelegram('until noon').count(), 0);
    await demo.inIntercom('Yes Ben').getByRole('button', { name: 'Send again' }).click();
    await demo.once(demo.inTelegram('Yes Ben, until noon.'), 20);
    await demo.page.locator('#gave-up').waitFor({ state: 'hidden' });
  },

  async 'what Intercom refuses is told the customer, and can be sent again'(demo) {
    await demo.turn('Intercom refuses', true);
    await demo.customerWrites('May I have it in blue?');
    const message = demo.inTelegram('May I have it in blue?');
    await demo.says(message, /not delivered: Intercom refused it/);
    await demo.inTelegram('could not be passed on to our support team').waitFor();
    await message.getByRole('button', { name: 'Send again' }).click();
    await demo.once(demo.inIntercom('May I have it in blue?'), 20);
    await demo.says(message, 'in Intercom');
  },

  async 'a message that is sent again while the bridge is dead says so'(demo) {
    await demo.choose('Holiday hours');
    const reply = demo.inIntercom('Yes Ben, until noon.');
    await demo.kill();
    await reply.getByRole('button', { name: 'Send again' }).click();
    await demo.says(reply, 'sent again: waits, the bridge is not running');
    await demo.start();
    await demo.once(demo.inTelegram('Yes Ben, until noon.'), 20);
  },

  async 'a 429 of Intercom is waited for'(demo) {
    await demo.turn('Intercom says 429', true);
    await demo.customerWrites('Is it insured?');
    await demo.says(demo.inTelegram('Is it insured?'), /Intercom said 429.*retrying in \d s/);
    await demo.once(demo.inIntercom('Is it insured?'), 30);
  },

  async 'the bridge starts while Telegram is down'(demo) {
    await demo.turn('Telegram is down', true);
    await demo.kill();
    await demo.start();
    await demo.agentWrites('We are back.');
    await demo.says(demo.inIntercom('We are back.'), /Telegram cannot be reached.*retrying/);
    await demo.turn('Telegram is down', false);
    await demo.once(demo.inTelegram('We are back.'), 40);
    await demo.customerWrites('So am I.');
    await demo.once(demo.inIntercom('So am I.'));
  },

  async 'what comes twice is shown once'(demo) {
    await demo.turn('Everything comes twice', true);
    await demo.customerWrites('Two parcels?');
    await demo.agentWrites('Only one.');
    await demo.customerWrites('Good.');
    await demo.once(demo.inIntercom('Good.'));
    await demo.once(demo.inTelegram('Only one.'));
    await demo.page.waitForTimeout(4000);
    await demo.once(demo.inIntercom('Two parcels?'));
    await demo.once(demo.inTelegram('Only one.'));
  },

  async 'webhooks out of order: each arrives once'(demo) {
    await demo.turn('Webhooks out of order', true);
    await demo.agentWrites('Told late.');
    await demo.agentWrites('Told at once.');
    await demo.once(demo.inTelegram('Told at once.'));
    await demo.once(demo.inTelegram('Told late.'), 20);
  },

  async 'a reply that Intercom never told of is found'(demo) {
    await demo.turn('Webhooks get lost', true);
    await demo.agentWrites('Did you get it?');
    await demo.says(demo.inIntercom('Did you get it?'), /Intercom never told the bridge.*searched for in/);
    await demo.once(demo.inTelegram('Did you get it?'), 200);
  },

  async 'the bridge is killed: what is written meanwhile arrives when it is back'(demo) {
    await demo.kill();
    await demo.customerWrites('Written while it was dead.');
    await demo.agentWrites('Answered while it was dead.');
    await demo.says(demo.inTelegram('Written while it was dead.'), 'waits in Telegram: the bridge is not running');
    await demo.says(demo.inIntercom('Answered while it was dead.'), 'waits in Intercom: the bridge is not running');
    await demo.start();
    await demo.once(demo.inIntercom('Written while it was dead.'), 90);
    await demo.once(demo.inTelegram('Answered while it was dead.'), 90);
  },

  async 'a crash in the middle of a call to Intercom loses and doubles nothing'(demo) {
    await demo.turn('Crash in the middle', true);
    await demo.customerWrites('Do not lose me.');
    await demo.page.getByText('Bridge crashed, comes back').waitFor();
    await demo.page.getByText('Bridge running').waitFor();
    await demo.says(demo.inTelegram('Do not lose me.'), /killed with it in hand.*taken over in/);
    await demo.says(demo.inTelegram('Do not lose me.'), 'in Intercom', 240);
    await demo.once(demo.inIntercom('Do not lose me.'));
  },

  async 'a crash in the middle of a call to Telegram loses nothing'(demo) {
    await demo.turn('Crash in the middle', true);
    await demo.agentWrites('Nor me.');
    await demo.page.getByText('Bridge crashed, comes back').waitFor();
    await demo.says(demo.inIntercom('Nor me.'), /killed with it in hand.*taken over in/);
    await demo.says(demo.inIntercom('Nor me.'), 'in Telegram', 240);
    await demo.once(demo.inTelegram('Nor me.'));
  },
};
