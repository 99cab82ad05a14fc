// The list of topics and that of conversations.

import { avatar, h, keyed, time } from './dom.js';
import { plain } from './rich.js';

/** Keeps a list of threads with the arrow keys, one tab stop for all of it. */
export function keepList(list, choose) {
  list.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) choose(button.parentElement.dataset.key);
  });
  list.addEventListener('keydown', (event) => {
    const buttons = [...list.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || !buttons[to]) return;
    event.preventDefault();
    const { key } = buttons[to].parentElement.dataset;
    choose(key);
    list.querySelector(`li[data-key="${CSS.escape(key)}"] button`)?.focus();
  });
}

/** Shows the threads, the chosen one marked. */
export function showList(list, threads, chosen, unread) {
  const hadFocus = list.contains(document.activeElement);
  const items = threads.map((thread) => item(thread, String(thread.id) === String(chosen), unread(thread)));
  keyed(list, items, entry);
  const current = list.querySelector('[aria-current]');
  if (current && list.current !== String(chosen)) current.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  list.current = String(chosen);
  if (hadFocus && !list.contains(document.activeElement)) current?.focus();
}

function item(thread, isChosen, unread) {
  const spoken = thread.messages.filter((one) => one.kind !== 'event');
  const last = spoken.findLast((one) => one.kind === 'message') ?? spoken.at(-1);
  const waits = spoken.some((one) => one.state && ['waiting', 'failed'].includes(one.state.kind));
  return {
    key: String(thread.id),
    title: thread.title ?? thread.name,
    who: last?.name ?? '',
    said: last ? plain(last.html).slice(0, 90) : '',
    at: last?.at ?? 0,
    closed: thread.state === 'closed',
    isChosen,
    unread,
    waits,
  };
}

function entry(one) {
  const first = one.who.split(' ')[0];
  return h('li', {},
    h('button', { type: 'button', 'aria-current': one.isChosen && 'true', tabindex: one.isChosen ? '0' : '-1' },
      avatar(one.title),
      h('span', { class: 'entry' },
        h('span', { class: 'entry-top' }, h('b', {}, one.title), one.at ? h('time', {}, time(one.at)) : null),
        h('span', { class: 'entry-said' }, h('span', {}, first ? `${first}: ${one.said}` : 'No messages yet'), mark(one)))));
}

function mark(one) {
  if (one.unread) return h('span', { class: 'badge' }, String(one.unread), h('span', { class: 'hidden' }, ' unread'));
  if (one.waits) return h('span', { class: 'waits', title: 'Something waits here' }, h('span', { class: 'hidden' }, 'something waits'));
  if (one.closed) return h('span', { class: 'closed' }, 'closed');
  return null;
}
