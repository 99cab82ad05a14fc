// Formatting from either side, rebuilt element by element: what is not on this list does not get onto the page.

const SAME = { B: 'b', STRONG: 'b', I: 'i', EM: 'i', U: 'u', S: 's', CODE: 'code', PRE: 'pre', BLOCKQUOTE: 'blockquote',
  P: 'p', BR: 'br', UL: 'ul', OL: 'ol', LI: 'li', H1: 'h4', H2: 'h4', H3: 'h4', H4: 'h4' };
// What stands in these is no address to follow, or is one already.
const LITERAL = ['A', 'CODE', 'PRE'];
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

function copy(from, to, links = true) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(...(links ? linked(node.data) : [node.data]));
    else if (node.nodeType === Node.ELEMENT_NODE) to.append(...copied(node, links));
  }
}

function copied(node, links) {
  const inside = document.createDocumentFragment();
  const name = node.nodeName;
  copy(node, inside, links && !LITERAL.includes(name));
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

/** Addresses that were written as text are links, too. */
function linked(text) {
  if (!text.includes('://')) return [text];
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/i).map((piece, at) => (at % 2 ? anchor(piece, piece) : piece));
}

function anchor(url, inside) {
  const element = filled('a', inside);
  element.href = url;
  element.target = '_blank';
  element.rel = 'noopener noreferrer';
  return element;
}

function filled(tag, inside) {
  const element = document.createElement(tag);
  element.append(inside);
  return element;
}

function link(node, inside) {
  const url = node.getAttribute('href') ?? '';
  return /^https?:\/\//i.test(url) ? anchor(url, inside) : inside;
}
