// The page: what is chosen, what was read, and the stream of the world's states.

import { act, avatar, byId, h, keyed } from './dom.js';
import { composer } from './composer.js';
import { keepLab, showLab, tick } from './lab.js';
import { keepList, showList } from './list.js';
import { count, keepLog, setClock, showThread } from './thread.js';

let world = null;
const chosen = { topic: null, conversation: null, byHand: false };
const seen = { topics: new Map(), conversations: new Map() };
const narrow = matchMedia('(max-width: 900px)');

const find = (list, id) => list.find((one) => String(one.id) === String(id));
const topic = () => find(world.topics, chosen.topic);
const conversation = () => find(world.conversations, chosen.conversation);

const telegram = composer(byId('topic-composer'), {
  label: 'Write as',
  changed: () => world && show(),
  send: async (text, person) => {
    chosen.byHand = true;
    const sent = await act({ do: 'say', topic: chosen.topic, person: Number(person), text });
    if (sent) tick('write');
    return sent;
  },
});
const intercom = composer(byId('conversation-composer'), {
  label: 'as',
  modes: [{ id: 'reply', name: 'Reply' }, { id: 'note', name: 'Note' }],
  changed: () => world && show(),
  send: async (text, agent, mode) => {
    chosen.byHand = true;
    const sent = await act({ do: mode, conversation: chosen.conversation, agent, text });
    if (sent && mode === 'reply') tick('answer');
    return sent;
  },
});

/** Whoever reads one side of a topic sees the other side of it beside. */
function chooseTopic(id) {
  chosen.topic = Number(id);
  chosen.conversation = null;
  chosen.byHand = true;
  show();
}

function chooseConversation(id) {
  chosen.conversation = id;
  chosen.byHand = true;
  const linked = conversation()?.topic;
  if (linked) chosen.topic = linked;
  show();
}

/** Until somebody chooses, the newest topic is shown; a topic that has just got its conversation shows it. */
function follow() {
  if (!chosen.byHand) {
    chosen.topic = world.topics.at(-1)?.id ?? null;
    chosen.conversation = null;
  }
  chosen.conversation ??= world.conversations.find((one) => one.topic === chosen.topic)?.id ?? null;
}

const me = () => find(world.people, telegram.people.value)?.name;
const isMine = { topics: (one) => one.name === me(), conversations: (one) => one.who !== 'customer' };
const newest = (thread) => Math.max(0, ...thread.messages.map((one) => Number(one.id)));

function unread(side) {
  return (thread) => {
    const last = seen[side].get(String(thread.id)) ?? 0;
    return thread.messages.filter((one) => one.kind === 'message' && Number(one.id) > last && !isMine[side](one)).length;
  };
}

function read() {
  if (document.hidden) return;
  const isShown = (tab) => !narrow.matches || document.body.dataset.tab === tab;
  if (topic() && isShown('telegram')) seen.topics.set(String(chosen.topic), newest(topic()));
  if (conversation() && isShown('intercom')) seen.conversations.set(String(chosen.conversation), newest(conversation()));
}

function show() {
  follow();
  telegram.setPeople(world.people.map(({ id, name, staff }) => ({ id, name: staff ? `${name} (staff)` : name })));
  intercom.setPeople(world.agents);
  read();
  byId('group-name').textContent = world.group;
  showList(byId('topics'), latestFirst(world.topics), chosen.topic, unread('topics'));
  showList(byId('conversations'), latestFirst(world.conversations), chosen.conversation, unread('conversations'));
  showHeads();
  showComposers();
  showThread(byId('topic-log'), topic(), isMine.topics);
  showThread(byId('conversation-log'), conversation(), isMine.conversations);
  showLab(world);
  showBadges();
}

function latestFirst(threads) {
  const at = (thread) => Math.max(0, ...thread.messages.map((one) => one.at));
  return [...threads].sort((a, b) => at(b) - at(a) || Number(b.id) - Number(a.id));
}

function showHeads() {
  const open = topic();
  keyed(byId('topic-head'), open ? [{ key: 'head', name: open.name, people: people(open) }] : [], (head) =>
    h('div', { class: 'head' }, avatar(head.name), h('div', {}, h('h3', {}, head.name), h('p', { class: 'quiet' }, head.people))));
  const inbox = conversation();
  const head = inbox && { key: 'head', title: inbox.title, people: inbox.people.join(', '), state: inbox.state };
  keyed(byId('conversation-head'), head ? [head] : [], conversationHead);
}

function people(thread) {
  const names = new Set(thread.messages.filter((one) => one.kind === 'message').map((one) => one.name));
  return [...names].join(', ') || 'No messages yet';
}

function conversationHead(head) {
  const isClosed = head.state === 'closed';
  const turn = () => act({ do: isClosed ? 'reopen' : 'close', conversation: chosen.conversation, agent: intercom.people.value });
  return h('div', { class: 'head' }, avatar(head.title),
    h('div', {}, h('h3', {}, head.title), h('p', { class: 'quiet' }, head.people)),
    h('span', { class: `status ${head.state}` }, head.state),
    h('button', { type: 'button', class: 'plain', on: { click: turn } }, isClosed ? 'Reopen' : 'Close'));
}

function showComposers() {
  const first = (name) => (name ?? '').split(' ')[0];
  telegram.setThread(chosen.topic, topic() ? `Write as ${first(me())}…` : 'Choose a topic');
  const agent = first(find(world.agents, intercom.people.value)?.name);
  const words = intercom.mode === 'note' ? 'Note for colleagues: stays in Intercom…' : `Reply as ${agent}…`;
  intercom.setThread(chosen.conversation, conversation() ? words : 'No conversation yet');
}

function showBadges() {
  const sum = (side) => world[side].reduce((all, thread) => all + unread(side)(thread), 0);
  const counts = { telegram: sum('topics'), intercom: sum('conversations'), lab: world.switches.filter((one) => one.on).length };
  for (const tab of document.querySelectorAll('.tabs button')) {
    const badge = tab.querySelector('.badge');
    const isOn = tab.dataset.tab === document.body.dataset.tab;
    badge.hidden = counts[tab.dataset.tab] === 0;
    badge.textContent = counts[tab.dataset.tab];
    if (isOn) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  const all = counts.telegram + counts.intercom;
  document.title = all ? `(${all}) Bridge demo` : 'Bridge demo';
}

function keepDialog() {
  const dialog = byId('topic-dialog');
  byId('new-topic').addEventListener('click', () => {
    byId('topic-person').replaceChildren(...world.people.filter((one) => !one.staff).map(({ id, name }) => h('option', { value: id }, name)));
    const isCustomer = world.people.some((one) => !one.staff && String(one.id) === telegram.people.value);
    if (isCustomer) byId('topic-person').value = telegram.people.value;
    dialog.showModal();
    byId('topic-title').focus();
  });
  byId('topic-cancel').addEventListener('click', () => dialog.close());
  byId('topic-text').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId('topic-form').requestSubmit();
  });
  byId('topic-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const [person, title, text] = ['topic-person', 'topic-title', 'topic-text'].map((id) => byId(id).value);
    const known = new Set(world.topics.map((one) => one.id));
    if (!(await act({ do: 'open_topic', person: Number(person), title, text }))) return;
    tick('write');
    dialog.close();
    event.target.reset();
    telegram.people.value = person;
    opened = known;
    telegram.text.focus();
  });
}

let opened = null;

/** A topic that was opened here is shown as soon as it is there. */
function showOpened() {
  const fresh = opened && world.topics.find((one) => !opened.has(one.id));
  if (!fresh) return;
  opened = null;
  Object.assign(chosen, { topic: fresh.id, conversation: null, byHand: true });
}

function listen() {
  const stream = new EventSource('/events');
  stream.addEventListener('message', ({ data }) => {
    const { now, state } = JSON.parse(data);
    setClock(now);
    byId('stopped').hidden = true;
    if (!state) return;
    world = state;
    showOpened();
    show();
    document.body.dataset.ready = 'true';
  });
  stream.addEventListener('error', () => { byId('stopped').hidden = false; });
}

for (const tab of document.querySelectorAll('.tabs button')) {
  tab.addEventListener('click', () => {
    document.body.dataset.tab = tab.dataset.tab;
    if (world) show();
  });
}
keepList(byId('topics'), chooseTopic);
keepList(byId('conversations'), chooseConversation);
keepLab();
for (const log of document.querySelectorAll('.log')) keepLog(log);
keepDialog();
document.addEventListener('visibilitychange', () => world && show());
setInterval(count, 250);
listen();
