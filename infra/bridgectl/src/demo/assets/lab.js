// What can be made to go wrong, the bridge itself, and what to try.

import { act, byId, h, keyed, tell } from './dom.js';

const ABOUT = 'Each switch breaks something at Telegram or Intercom, or in the bridge. The bridge is not told: watch it cope.';
const done = new Set();

/** Ticks off something to try. */
export function tick(step) {
  done.add(step);
  const item = document.querySelector(`[data-step="${step}"]`);
  item.classList.add('done');
  item.setAttribute('aria-label', `Done: ${item.textContent}`);
}

/** Wires the switches' explanations and the bridge's button. */
export function keepLab() {
  const line = byId('lab-about');
  line.textContent = ABOUT;
  const explain = (event) => {
    const about = event.target.closest?.('button')?.querySelector('.about');
    line.textContent = about ? about.textContent : ABOUT;
  };
  for (const event of ['pointerover', 'focusin']) byId('switches').addEventListener(event, explain);
  for (const event of ['pointerleave', 'focusout']) byId('switches').addEventListener(event, () => { line.textContent = ABOUT; });
  byId('power').addEventListener('click', async () => {
    const isRunning = byId('bridge').classList.contains('running');
    if ((await act({ do: isRunning ? 'kill' : 'start' })) && isRunning) tick('restart');
  });
}

/** Shows the switches, and the bridge with what it has given up. */
export function showLab({ switches, bridge, comes_back: comesBack, queued }, givenUp) {
  keyed(byId('switches'), switches.map((one) => ({ ...one, key: one.id })), (one, former) => {
    if (!former) return h('li', {}, control(one));
    former.firstElementChild.setAttribute('aria-checked', String(one.on));
    return former;
  });
  const isRunning = bridge !== null;
  byId('bridge').classList.toggle('running', isRunning);
  tell(byId('bridge-state'), isRunning ? 'Bridge running' : comesBack ? 'Bridge crashed, comes back' : 'Bridge killed');
  tell(byId('power').lastElementChild, isRunning ? 'Kill' : 'Start');
  byId('power').setAttribute('aria-label', isRunning ? 'Kill the bridge' : 'Start the bridge');
  tell(byId('flow-in'), String(queued.inbound));
  tell(byId('flow-out'), String(queued.outbound));
  byId('gave-up').hidden = givenUp === 0;
  tell(byId('gave-up').querySelector('span'), String(givenUp));
}

function control(one) {
  const turn = async (event) => {
    const button = event.currentTarget;
    const on = button.getAttribute('aria-checked') !== 'true';
    if ((await act({ do: 'trouble', name: one.id, on })) && on) tick('fault');
  };
  return h('button', {
    type: 'button', role: 'switch', 'aria-checked': String(one.on), 'aria-labelledby': `name-${one.id}`,
    'aria-describedby': `about-${one.id}`, 'data-trouble': one.id, on: { click: turn },
  }, h('span', { class: 'knob', 'aria-hidden': 'true' }), h('span', { class: 'words' },
    h('span', { class: 'name' }, h('span', { id: `name-${one.id}` }, one.name), one.once && h('small', {}, h('span', { 'aria-hidden': 'true' }, '1×'), h('span', { class: 'hidden' }, ' once'))),
    h('span', { class: 'about', id: `about-${one.id}` }, one.about)));
}
