// One topic or conversation: its messages, and what became of each.

import { act, avatar, botAvatar, h, icon, keyed, tell, time } from './dom.js';
import { rich } from './rich.js';

const TOGETHER_MS = 5 * 60_000;
const NEAR_THE_END = 24;
const ICONS = { on_its_way: 'clock', waiting: 'clock', delivered: 'checks', aside: 'dot', failed: 'warn' };

let ahead = 0;

/** Sets the page's clock by the server's. */
export function setClock(now) {
  ahead = now - Date.now();
}

/** Shows messages; `mine` tells which stand at the right, `way` which way those go that can be sent again. */
export function showThread(log, thread, mine, way) {
  const isOther = isTurnedTo(log, thread);
  const atEnd = isAtEnd(log);
  log.dataset.thread = thread?.id ?? '';
  log.classList.toggle('still', isOther);
  keyed(log, thread ? grouped(thread, mine, way) : [], message);
  const last = thread?.messages.at(-1);
  if (isOther || atEnd || (last && mine(last) && log.dataset.last !== last.id)) toEnd(log);
  log.dataset.last = last?.id ?? '';
  count();
}

const isTurnedTo = (log, thread) => log.dataset.thread !== String(thread?.id ?? '');

/** Whether its newest message is seen, now or as soon as it is shown. */
export const seesEnd = (log, thread) => isTurnedTo(log, thread) || log.atEnd !== false;

/** The way back to the end for whoever has scrolled up. */
export function showJump(jump, log, unread) {
  jump.hidden = log.atEnd !== false;
  const words = unread ? `${unread} new` : '';
  jump.setAttribute('aria-label', unread ? `To the newest message: ${words}` : 'To the newest message');
  if (!jump.firstChild) jump.append(icon('down'), h('span'));
  tell(jump.lastChild, words);
}

function toEnd(log) {
  log.atEnd = true;
  log.scrollTop = log.scrollHeight;
}

/** Whoever reads the end goes on reading it when the room for it changes. */
export function keepLog(log, jump, turned) {
  log.addEventListener('scroll', () => {
    // Nobody has scrolled if there is only less room than before: the observer looks after that.
    if (log.room !== log.clientHeight) return;
    const was = log.atEnd;
    log.atEnd = isAtEnd(log);
    if (was !== log.atEnd) turned();
  });
  new ResizeObserver(() => {
    log.room = log.clientHeight;
    if (log.atEnd) toEnd(log);
  }).observe(log);
  jump.addEventListener('click', () => {
    toEnd(log);
    log.focus({ preventScroll: true });
    turned();
  });
}

const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_THE_END;

/** Messages of one author right below each other share a name and a picture. */
function grouped(thread, mine, way) {
  let before = null;
  return thread.messages.map((one) => {
    const joins = before && before.kind === one.kind && before.name === one.name && one.at - before.at < TOGETHER_MS;
    before = one;
    return { ...one, key: `${thread.id}/${one.id}`, mine: mine(one), joins: Boolean(joins), way };
  });
}

/** A message of which only the state has changed keeps everything else, so that nothing of it is read out twice. */
function message(one, former) {
  const { state: told, ...rest } = one;
  const look = JSON.stringify(rest);
  if (former && former.rest === look) {
    const old = former.querySelector('.meta .state');
    const fresh = state(one);
    if (old && fresh) old.replaceWith(fresh);
    else if (fresh) former.querySelector('.meta').append(fresh);
    return former;
  }
  const made = one.kind === 'event' ? event(one) : spoken(one, former);
  made.rest = look;
  return made;
}

const event = (one) => h('p', { class: 'event' }, h('b', {}, one.name), ` ${one.html} · ${time(one.at)}`);

function spoken(one, former) {
  const classes = ['message', one.kind === 'note' && 'note', one.mine && 'mine', one.joins && 'joins', former && 'still'];
  const text = h('div', { class: 'text' });
  text.append(rich(one.html));
  return h('article', { class: classes.filter(Boolean).join(' '), tabindex: '-1' },
    one.who === 'bridge' ? botAvatar() : avatar(one.name),
    h('div', { class: 'bubble' },
      h('header', { class: 'by' }, h('b', {}, one.name), badge(one)),
      text,
      ...one.files.map(file),
      h('footer', { class: 'meta' }, h('time', { datetime: new Date(one.at).toISOString() }, time(one.at)),
        one.edited && ' · edited', state(one))));
}

/** What it is and what it is called; a picture above that, in room of its own before it is there. */
function file({ name, kind, picture }) {
  const label = name ? `${kind} · ${name}` : kind;
  const line = [icon(picture ? 'photo' : 'file'), h('span', {}, label)];
  if (!picture) return h('p', { class: 'file' }, ...line);
  return h('figure', { class: 'picture' }, h('img', { src: picture, alt: '', width: '210', height: '140' }), h('figcaption', { class: 'file' }, ...line));
}

function badge(one) {
  if (one.kind === 'note') return h('span', { class: 'tag' }, icon('note'), 'internal note');
  const words = { bridge: 'bot', staff: 'staff' }[one.who];
  return words && h('span', { class: 'tag' }, words);
}

/** What became of it. A countdown is for the eye: read out, it would talk every second. */
function state({ state: told, way, id }) {
  if (!told) return null;
  const line = h('span', {}, words(told));
  if (told.next) line.append(' · ', h('span', { class: 'next', 'aria-live': 'off', 'data-what': told.next.what, 'data-at': told.next.at }));
  if (told.kind === 'failed') {
    const again = () => act({ do: 'redrive', way, message: id });
    line.append(' · ', h('button', { type: 'button', class: 'again', 'data-control': 'again', on: { click: again } }, 'Send again'));
  }
  return h('span', { class: `state ${told.kind}` }, icon(ICONS[told.kind]), line);
}

function words(told) {
  const parts = [told.words];
  if (told.kind === 'delivered' && told.took !== undefined) parts.push(seconds(told.took));
  if (told.kind === 'delivered' && told.tries > 0) parts.push(`after ${told.tries + 1} tries`);
  return parts.join(' · ');
}

function seconds(ms) {
  if (ms < 100) return `${ms} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return long(Math.round(ms / 1000));
}

function long(whole) {
  return whole < 100 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Counts down whatever waits. */
export function count() {
  for (const next of document.querySelectorAll('.next')) {
    const left = Math.ceil((Number(next.dataset.at) - Date.now() - ahead) / 1000);
    tell(next, left > 0 ? `${next.dataset.what} in ${long(left)}` : `${next.dataset.what} now`);
  }
}
