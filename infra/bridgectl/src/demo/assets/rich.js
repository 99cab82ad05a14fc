// Formatting from either side, rebuilt element by element: what is not on this list does not get onto the page.

const SAME = { B: 'b', STRONG: 'b', I: 'i', EM: 'i', U: 'u', S: 's', CODE: 'code', PRE: 'pre', BLOCKQUOTE: 'blockquote',
  P: 'p', BR: 'br', UL: 'ul', OL: 'ol', LI: 'li', H1: 'h4', H2: 'h4', H3: 'h4', H4: 'h4' };
const SPOILER = 'TG-SPOILER';

/** A fragment that shows this HTML. The parser's document is inert: nothing in it runs or loads. */
export function rich(html) {
  const fragment = document.createDocumentFragment();
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  copy(parsed.body, fragment);
  return fragment;
}

/** The same as one line of text. */
export function plain(html) {
  const parsed = new DOMParser().parseFromString(html.replace(/<\/p>|<br>/g, '$& '), 'text/html');
  return parsed.body.textContent.replace(/\s+/g, ' ').trim();
}

function copy(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    else if (node.nodeType === Node.ELEMENT_NODE) to.append(...copied(node));
  }
}

function copied(node) {
  const inside = document.createDocumentFragment();
  copy(node, inside);
  const name = node.nodeName;
  if (SAME[name]) return [filled(SAME[name], inside)];
  if (name === 'A') return [link(node, inside)];
  if (name === SPOILER) {
    const spoiler = filled('span', inside);
    spoiler.className = 'spoiler';
    return [spoiler];
  }
  if (name === 'IMG') return ['[picture]'];
  return [inside];
}

function filled(tag, inside) {
  const element = document.createElement(tag);
  element.append(inside);
  return element;
}

function link(node, inside) {
  const url = node.getAttribute('href') ?? '';
  if (!/^https?:\/\//i.test(url)) return inside;
  const element = filled('a', inside);
  element.href = url;
  element.target = '_blank';
  element.rel = 'noopener noreferrer';
  return element;
}
