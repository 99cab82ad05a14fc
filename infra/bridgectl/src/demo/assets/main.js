// The page: what is chosen, what was read, and the stream of the world's states.

import { act, avatar, byId, h, keyed, personTone, tell, topicAvatar, topicTone } from './dom.js';
import { composer } from './composer.js';
import { keepLab, showLab, tick } from './lab.js';
import { keepList, showList } from './list.js';
import { markRead, recall, unread } from './reading.js';
import { count, keepLog, seesEnd, setClock, showJump, showThread } from './thread.js';

let world = null;
const chosen = { topic: null, conversation: null };
const authors = new Map();
const narrow = matchMedia('(max-width: 1040px)');

const find = (list, id) => list.find((one) => String(one.id) === String(id));
const topic = () => find(world.topics, chosen.topic);
const conversation = () => find(world.conversations, chosen.conversation);

const telegram = composer(byId('topic-composer'), {
  label: 'Write as',
  photo: { name: 'parcel.jpg', src: '/parcel.jpg' },
  chose: (person) => authors.set(chosen.topic, person),
  changed: () => world && show(),
  send: async (text, person, mode, photo) => {
    const sent = await act({ do: 'say', topic: chosen.topic, person: Number(person), text, photo });
    if (sent) tick('write');
    return sent;
  },
});
const intercom = composer(byId('conversation-composer'), {
  label: 'Write as',
  modes: [{ id: 'reply', name: 'Reply' }, { id: 'note', name: 'Note', photo: false }],
  photo: { name: 'shelf.jpg', src: '/shelf.jpg' },
  changed: () => world && show(),
  send: async (text, agent, mode, photo) => {
    const sent = await act({ do: mode, conversation: chosen.conversation, agent, text, photo });
    if (sent && mode === 'reply') tick('answer');
    return sent;
  },
});

/** Whoever reads one side of a topic sees the other side of it beside. */
function chooseTopic(id) {
  chosen.topic = Number(id);
  chosen.conversation = null;
  show();
}

function chooseConversation(id) {
  chosen.conversation = id;
  const linked = conversation()?.topic;
  if (linked) chosen.topic = linked;
  show();
}

/** The page opens with what was written last; a topic that has just got its conversation shows it. */
function follow() {
  chosen.topic ??= latestFirst(world.topics)[0]?.id ?? null;
  chosen.conversation ??= world.conversations.find((one) => one.topic === chosen.topic)?.id ?? null;
}

/** Who writes in a topic: whom somebody chose, else its customer. */
function authorOf(thread) {
  const customer = thread.messages.find((one) => one.who === 'customer' && one.kind === 'message');
  return find(world.people, authors.get(thread.id)) ?? world.people.find((one) => one.name === customer?.name) ?? world.people[0];
}

const isMine = {
  topics: (thread) => (one) => one.name === authorOf(thread).name,
  conversations: () => (one) => one.who === 'agent',
};
const unreadIn = (side) => (thread) => unread(side, thread, isMine[side](thread), world.read_until);

const logs = { topics: byId('topic-log'), conversations: byId('conversation-log') };
const jumps = { topics: byId('topic-jump'), conversations: byId('conversation-jump') };

/** Read is what has been on the screen: not what has come in below it, nor what is on another tab. */
function read() {
  if (document.hidden) return;
  const isShown = (tab) => !narrow.matches || document.body.dataset.tab === tab;
  for (const [side, thread, tab] of [['topics', topic(), 'telegram'], ['conversations', conversation(), 'intercom']]) {
    if (thread && isShown(tab) && seesEnd(logs[side], thread)) markRead(side, thread);
  }
}

function show() {
  follow();
  showComposers();
  read();
  tell(byId('group-name'), world.group);
  showList(byId('topics'), latestFirst(world.topics), chosen.topic, unreadIn('topics'));
  showList(byId('conversations'), latestFirst(world.conversations), chosen.conversation, unreadIn('conversations'));
  showHeads();
  showThread(logs.topics, topic(), topic() && isMine.topics(topic()), 'to_intercom');
  showThread(logs.conversations, conversation(), (one) => one.who !== 'customer', 'to_telegram');
  for (const [side, thread] of [['topics', topic()], ['conversations', conversation()]]) {
    showJump(jumps[side], logs[side], thread ? unreadIn(side)(thread) : 0);
  }
  showLab(world, givenUp());
  showBadges();
}

function givenUp() {
  const all = [...world.topics, ...world.conversations].flatMap((thread) => thread.messages);
  return all.filter((one) => one.state?.kind === 'failed').length;
}

function latestFirst(threads) {
  const at = (thread) => Math.max(0, ...thread.messages.filter((one) => one.kind !== 'event').map((one) => one.at));
  return [...threads].sort((a, b) => at(b) - at(a) || Number(b.id) - Number(a.id));
}

function showHeads() {
  const open = topic();
  keyed(byId('topic-head'), open ? [{ key: 'head', name: open.name, people: people(open) }] : [], (head) =>
    h('div', { class: 'head' }, topicAvatar(head.name), h('div', {}, h('h3', {}, head.name), h('p', { class: 'quiet' }, head.people))));
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
  return h('div', { class: 'head' }, avatar(head.people.split(', ')[0]),
    h('div', {}, h('h3', {}, head.title), h('p', { class: 'quiet' }, head.people)),
    h('span', { class: `status ${head.state}` }, head.state),
    h('button', { type: 'button', class: 'plain', 'data-control': 'turn', on: { click: turn } }, isClosed ? 'Reopen' : 'Close'));
}

function showComposers() {
  const first = (name) => (name ?? '').split(' ')[0];
  telegram.setPeople(world.people.map(({ id, name, staff }) => ({ id, name: staff ? `${name} (staff)` : name })));
  intercom.setPeople(world.agents);
  const author = topic() && authorOf(topic());
  if (author) telegram.people.value = author.id;
  telegram.setThread(chosen.topic, author ? `Write as ${first(author.name)}…` : 'Choose a topic');
  const agent = first(find(world.agents, intercom.people.value)?.name);
  const words = intercom.mode === 'note' ? 'Note: stays in Intercom…' : `Reply as ${agent}…`;
  intercom.setThread(chosen.conversation, conversation() ? words : 'No conversation yet');
}

function showBadges() {
  const sum = (side) => world[side].reduce((all, thread) => all + unreadIn(side)(thread), 0);
  const counts = { telegram: sum('topics'), intercom: sum('conversations'), lab: world.switches.filter((one) => one.on).length };
  for (const tab of document.querySelectorAll('.tabs button')) {
    const badge = tab.querySelector('.badge');
    const isOn = tab.dataset.tab === document.body.dataset.tab;
    badge.hidden = counts[tab.dataset.tab] === 0;
    tell(badge, String(counts[tab.dataset.tab]));
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
  Object.assign(chosen, { topic: fresh.id, conversation: null });
}

function begin(state) {
  recall(state.demo);
  for (const { name } of [...state.people, ...state.agents]) personTone(name);
  for (const { name } of state.topics) topicTone(name);
}

function listen() {
  const stream = new EventSource('/events');
  stream.addEventListener('message', ({ data }) => {
    const { now, state } = JSON.parse(data);
    setClock(now);
    byId('stopped').hidden = true;
    if (!state) return;
    // Another demo answers here than before: nothing of what this page remembers is true of it.
    if (world && world.demo !== state.demo) {
      location.reload();
      return;
    }
    if (!world) begin(state);
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
for (const side of ['topics', 'conversations']) keepLog(logs[side], jumps[side], () => world && show());
keepDialog();
document.addEventListener('visibilitychange', () => world && show());
setInterval(count, 250);
listen();
