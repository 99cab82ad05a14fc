// The few things that every part of the page needs.

/** An element with properties and children; strings become text. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the page's symbols. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Says something else, if it is something else: what is not touched is not read out again. */
export function tell(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Lets `parent` hold one element for each item, in order, and makes only those anew that look different. */
export function keyed(parent, items, make) {
  const held = hold(parent);
  const known = new Map();
  for (const child of [...parent.children]) known.set(child.dataset.key, child);
  let before = parent.firstElementChild;
  for (const item of items) {
    const look = JSON.stringify(item);
    const former = known.get(item.key);
    known.delete(item.key);
    let element = former;
    if (!former || former.look !== look) {
      element = make(item, former);
      element.dataset.key = item.key;
      element.look = look;
      if (former && former !== element) {
        if (before === former) before = element;
        former.replaceWith(element);
      }
    }
    if (element === before) before = before.nextElementSibling;
    else parent.insertBefore(element, before);
  }
  for (const gone of known.values()) gone.remove();
  if (held) giveBack(parent, held);
}

/** Where in `parent` the keyboard is. */
function hold(parent) {
  const active = document.activeElement;
  const child = [...parent.children].find((one) => one.contains(active));
  return child && { active, key: child.dataset.key, control: active.dataset.control };
}

/** Leaves the keyboard where it was: on the same control of the same item, or on the item if that control is gone. */
function giveBack(parent, { active, key, control }) {
  if (document.activeElement === active) return;
  const child = [...parent.children].find((one) => one.dataset.key === key);
  const same = control && child?.querySelector(`[data-control="${control}"]`);
  (active.isConnected ? active : same || child)?.focus({ preventScroll: true });
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
export const time = (ms) => clock.format(ms);

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('') || '?';
}

const TONES = 12;

/** Gives out colours in the order in which names appear; a name keeps its own. */
function palette() {
  const tones = new Map();
  return (name) => {
    if (!tones.has(name)) tones.set(name, tones.size % TONES);
    return `tone-${tones.get(name)}`;
  };
}

/** The colours of people, and those of topics. */
export const personTone = palette();
export const topicTone = palette();

export const avatar = (name) => h('span', { class: `avatar ${personTone(name)}`, 'aria-hidden': 'true' }, initials(name));
export const botAvatar = () => h('span', { class: 'avatar bot', 'aria-hidden': 'true' }, icon('bridge'));
export const topicAvatar = (title) => h('span', { class: `avatar topic ${topicTone(title)}`, 'aria-hidden': 'true' }, initials(title)[0]);

let toastTimer;

/** Says something that has to be seen now. */
export function say(words) {
  const toast = byId('toast');
  toast.textContent = words;
  toast.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove('shown'), 6000);
}

/** Does something; tells whether it was done, and says why not. */
export async function act(action) {
  try {
    const answer = await fetch('/act', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(action),
    });
    if (answer.ok) return true;
    const { error } = await answer.json().catch(() => ({}));
    say(error ?? 'The demo did not understand that.');
  } catch {
    say('The demo does not answer.');
  }
  return false;
}
