// What was read: up to which message of each thread, kept for as long as the window is open.

const KEPT = 'read';

/** Of which demo, and up to where. Another demo has other messages under the same ids. */
let read = { demo: null, topics: {}, conversations: {} };

/** Remembers what was read of this demo before the page was loaded again. */
export function recall(demo) {
  if (read.demo === demo) return;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
  read = kept?.demo === demo ? kept : { demo, topics: {}, conversations: {} };
}

/** Everything in this thread has been seen. */
export function markRead(side, thread) {
  const newest = Math.max(0, ...thread.messages.map((one) => Number(one.id)));
  if (read[side][thread.id] === newest) return;
  read[side][thread.id] = newest;
  sessionStorage.setItem(KEPT, JSON.stringify(read));
}

/** How many messages nobody has seen. Whoever writes has read what stands above; `mine` tells what that person wrote. */
export function unread(side, thread, mine, since) {
  const answered = thread.messages.findLast((one) => one.kind !== 'event' && mine(one));
  const last = Math.max(read[side][thread.id] ?? 0, Number(answered?.id ?? 0));
  const counted = thread.messages.filter((one) => one.kind === 'message' || isWord(one, thread));
  return counted.filter((one) => Number(one.id) > last && one.at > since && !mine(one) && !isColleague(side, one)).length;
}

/** The bridge's first note presents the customer; whatever it notes after that is about something that went wrong. */
function isWord(one, thread) {
  const isNote = (message) => message.kind === 'note' && message.who === 'bridge';
  return isNote(one) && thread.messages.find(isNote) !== one;
}

/** In the inbox, who waits is a customer, or the bridge with a word. */
const isColleague = (side, one) => side === 'conversations' && !['customer', 'bridge'].includes(one.who);
