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

/** Lets `parent` hold one element for each item, in order, and makes only those anew that look different. */
export function keyed(parent, items, make) {
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
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
export const time = (ms) => clock.format(ms);

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('') || '?';
}

const TONES = 8;

/** A name keeps its colour. */
export function tone(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return `tone-${sum % TONES}`;
}

export const avatar = (name) => h('span', { class: `avatar ${tone(name)}`, 'aria-hidden': 'true' }, initials(name));

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
