// The list of topics and that of conversations.

import { avatar, h, icon, keyed, time, topicAvatar } from './dom.js';
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
  const items = threads.map((thread) => item(thread, String(thread.id) === String(chosen), unread(thread)));
  keyed(list, items, entry);
  const current = list.querySelector('[aria-current]');
  if (current && list.current !== String(chosen)) current.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  list.current = String(chosen);
}

function item(thread, isChosen, unread) {
  const spoken = thread.messages.filter((one) => one.kind !== 'event');
  const last = spoken.findLast((one) => one.kind === 'message') ?? spoken.at(-1);
  const is = (kind) => spoken.some((one) => one.state?.kind === kind);
  return {
    key: String(thread.id),
    title: thread.title ?? thread.name,
    person: thread.people?.[0],
    ...preview(last),
    at: last?.at ?? 0,
    closed: thread.state === 'closed',
    isChosen,
    unread,
    waits: is('waiting'),
    failed: is('failed'),
  };
}

/** What the bot brings begins with the name of whoever wrote it. */
const BROUGHT = /^<b>([^<]+)<\/b>\n/;

function preview(last) {
  if (!last) return { who: '', said: '' };
  const brought = last.who === 'bridge' && last.html.match(BROUGHT);
  const html = brought ? last.html.slice(brought[0].length) : last.html;
  const who = brought ? brought[1] : last.name.split(' ')[0];
  return { who, said: plain(html).slice(0, 120) || last.files.map((file) => file.kind).join(', ') };
}

function entry(one) {
  const said = one.who ? h('span', { class: 'entry-said' }, h('span', { class: 'entry-who' }, `${one.who}: `), one.said)
    : h('span', { class: 'entry-said' }, 'No messages yet');
  return h('li', {},
    h('button', { type: 'button', 'aria-current': one.isChosen && 'true', tabindex: one.isChosen ? '0' : '-1', 'data-control': 'choose' },
      one.person ? avatar(one.person) : topicAvatar(one.title),
      h('span', { class: 'entry' },
        h('span', { class: 'entry-top' }, h('b', {}, one.title), one.at ? h('time', {}, time(one.at)) : null),
        h('span', { class: 'entry-below' }, said, marks(one)))));
}

function marks(one) {
  return h('span', { class: 'marks' },
    one.closed && h('span', { class: 'closed' }, 'closed'),
    one.failed && mark('failed', 'Something was not delivered', icon('warn')),
    !one.failed && one.waits && mark('waits', 'Something waits here', icon('clock')),
    one.unread > 0 && h('span', { class: 'badge' }, String(one.unread), h('span', { class: 'hidden' }, ' unread')));
}

const mark = (kind, words, picture) => h('span', { class: kind, title: words }, picture, h('span', { class: 'hidden' }, words));
