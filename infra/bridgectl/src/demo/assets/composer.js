// Where messages are written: as whom, with which marks, and sent with Enter.

import { h, icon } from './dom.js';

const MARKS = [
  { key: 'b', name: 'Bold', label: 'B', class: 'bold', before: '**', after: '**' },
  { key: 'i', name: 'Italic', label: 'I', class: 'italic', before: '__', after: '__' },
  { key: 'e', name: 'Code', label: '</>', class: 'code', before: '`', after: '`' },
  { key: 'k', name: 'Link', icon: 'link', before: '[', after: '](https://)' },
];
const TALLEST = 132;

/**
 * Fills a form with a composer. `modes` are the ways of sending, the first of them at the beginning; `photo` is one that can be sent
 * along, where the mode has it; `send` gets text, author, mode and whether the photo goes along, and tells whether it was sent.
 */
export function composer(form, { label, modes = [], photo, send, changed, chose }) {
  const text = h('textarea', { rows: '1', maxlength: '4000', 'aria-label': 'Message', enterkeyhint: 'send' });
  const people = h('select', { 'aria-label': label });
  const button = h('button', { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)' }, icon('plane'));
  const drafts = new Map();
  const self = { text, people, mode: modes[0]?.id, thread: null };
  const attach = h('button', {
    type: 'button', class: 'tool photo', 'aria-label': 'Photo', title: `Send a photo along: ${photo.name}`, 'aria-pressed': 'false',
    on: { click: () => setPhoto(attached.hidden) },
  }, icon('photo'));
  const attached = h('div', { class: 'attached', hidden: true },
    h('img', { src: photo.src, alt: '', width: '48', height: '32' }), h('span', {}, photo.name),
    h('button', { type: 'button', class: 'tool', 'aria-label': 'Without the photo', title: 'Without the photo', on: { click: () => { setPhoto(false); text.focus(); } } }, icon('close')));

  function setPhoto(on) {
    attached.hidden = !on;
    attach.setAttribute('aria-pressed', String(on));
  }

  const tools = MARKS.map((mark) => h('button', {
    type: 'button', class: `tool ${mark.class ?? ''}`, 'aria-label': mark.name, title: `${mark.name} (Ctrl+${mark.key.toUpperCase()})`,
    on: { click: () => apply(text, mark) },
  }, mark.icon ? icon(mark.icon) : mark.label));
  const choices = modes.map((mode) => h('button', {
    type: 'button', class: 'mode', 'data-mode': mode.id, on: { click: () => choose(mode.id) },
  }, mode.name));

  function choose(mode) {
    self.mode = mode;
    form.dataset.mode = mode ?? '';
    for (const choice of choices) choice.setAttribute('aria-pressed', String(choice.dataset.mode === mode));
    attach.hidden = modes.find(({ id }) => id === mode)?.photo === false;
    if (attach.hidden) setPhoto(false);
    changed?.();
  }

  form.append(
    h('div', { class: 'composer-bar' },
      choices.length ? h('div', { class: 'modes', role: 'group', 'aria-label': 'Kind of message' }, ...choices) : null,
      h('label', { class: 'author' }, choices.length ? null : h('span', {}, label), people),
      h('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Formatting' }, ...tools, attach)),
    attached,
    h('div', { class: 'composer-line' }, text, button));
  choose(self.mode);

  const grow = () => {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight + 2, TALLEST)}px`;
  };
  text.addEventListener('input', grow);
  people.addEventListener('change', () => {
    chose?.(people.value);
    changed?.();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const mark = (event.ctrlKey || event.metaKey) && !event.altKey && MARKS.find(({ key }) => key === event.key.toLowerCase());
    if (mark) {
      event.preventDefault();
      apply(text, mark);
    }
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const written = text.value;
    const withPhoto = !attached.hidden;
    if (!(written.trim() || withPhoto) || button.disabled) return;
    text.value = '';
    setPhoto(false);
    grow();
    if (!(await send(written, people.value, self.mode, withPhoto)) && !text.value) {
      text.value = written;
      setPhoto(withPhoto);
      grow();
    }
  });

  /** Who can write here. */
  self.setPeople = (all) => {
    const look = JSON.stringify(all);
    if (people.look === look) return;
    const chosen = people.value;
    people.look = look;
    people.replaceChildren(...all.map(({ id, name }) => h('option', { value: id }, name)));
    if (chosen) people.value = chosen;
  };

  /** Each thread keeps what was begun in it. */
  self.setThread = (thread, placeholder) => {
    text.placeholder = placeholder;
    text.disabled = button.disabled = attach.disabled = thread === null;
    if (self.thread === thread) return;
    drafts.set(self.thread, { written: text.value, withPhoto: !attached.hidden });
    self.thread = thread;
    const draft = drafts.get(thread) ?? { written: '', withPhoto: false };
    text.value = draft.written;
    setPhoto(draft.withPhoto && !attach.hidden);
    grow();
  };
  return self;
}

/** Puts marks around what is selected. `setRangeText` would forget the undo history; this keeps it. */
function apply(text, { before, after }) {
  const { selectionStart: start, selectionEnd: end } = text;
  const inside = text.value.slice(start, end);
  text.focus();
  document.execCommand('insertText', false, before + inside + after);
  const isLink = after.startsWith('](');
  if (inside && isLink) text.setSelectionRange(start + before.length + inside.length + 2, start + before.length + inside.length + after.length - 1);
  else text.setSelectionRange(start + before.length, start + before.length + inside.length);
}
