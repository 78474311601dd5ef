// @ts-check
import { findLookAlikes } from './api.js';
import { byId, element } from './dom.js';
import { FacesView } from './faces.js';
import { isLanguage, Translator } from './i18n.js';
import { listenForPhotos } from './intake.js';
import { preparePhoto, releasePhoto } from './photo.js';
import { isWorthRetrying } from './problem.js';
import { matchItems } from './results.js';
import { Session } from './session.js';

const start = byId('start', HTMLElement);
const stage = byId('stage', HTMLElement);
const heading = byId('heading', HTMLElement);
const progress = byId('progress', HTMLElement);
const matches = byId('matches', HTMLElement);
const note = byId('note', HTMLElement);
const facesHint = byId('faces-hint', HTMLElement);
const announcement = byId('announcement', HTMLElement);
const choose = byId('choose', HTMLButtonElement);
const another = byId('another', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const input = byId('file', HTMLInputElement);

const translator = new Translator();
const session = new Session({ preparePhoto, releasePhoto, findLookAlikes }, render);
const faces = new FacesView(byId('photo', HTMLElement), (face) => void session.chooseFace(face));

listenForPhotos(input, (file) => void session.choosePhoto(file));
choose.addEventListener('click', () => input.click());
another.addEventListener('click', () => input.click());
cancel.addEventListener('click', () => session.cancel());
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => {
    const language = button.getAttribute('data-language') ?? '';
    if (isLanguage(language)) {
      translator.remember(language);
      speak();
    }
  });
}
speak();

/** Shows everything in the translator's language. */
function speak() {
  for (const button of document.querySelectorAll('[data-language]')) {
    const isCurrent = button.getAttribute('data-language') === translator.language;
    button.setAttribute('aria-pressed', String(isCurrent));
  }
  translator.translateDocument();
  render();
}

/** Shows the session's state. */
function render() {
  const { state } = session;
  const isBusy = state.step === 'preparing' || state.step === 'searching';
  const onStage = isBusy || state.photo !== null;

  start.hidden = onStage;
  stage.hidden = !onStage;
  progress.hidden = !isBusy;
  cancel.hidden = !isBusy;
  another.hidden = isBusy;
  another.classList.toggle('quiet', !state.problem || isWorthRetrying(state.problem));
  note.hidden = state.step !== 'found';
  facesHint.hidden = state.faces.length < 2;
  heading.textContent = title();
  faces.show(state, translator);
  matches.replaceChildren(...(isBusy ? placeholders() : matchItems(state, translator)));
  byId('start-problem', HTMLElement).replaceChildren(...(onStage ? [] : problemBox()));
  byId('stage-problem', HTMLElement).replaceChildren(...(onStage ? problemBox() : []));

  announce();
  keepFocus(onStage ? heading : choose);
}

function title() {
  const { step, problem } = session.state;
  if (problem) {
    return translator.text(`problem.${problem}.title`);
  }
  switch (step) {
    case 'preparing':
      return translator.text('search.preparing');
    case 'searching':
      return translator.text('search.searching');
    case 'found':
      return translator.text('found.title');
    default:
      return '';
  }
}

/** What to do about the problem, if there is one, and what it is where no heading says so. */
function problemBox() {
  const { problem, photo } = session.state;
  if (!problem) {
    return [];
  }
  const box = element('div', { className: 'problem' });
  if (!photo) {
    box.append(element('p', { className: 'what' }, title()));
  }
  box.append(element('p', {}, translator.text(`problem.${problem}.advice`)));
  if (photo && isWorthRetrying(problem)) {
    const retry = element('button', { type: 'button', className: 'button' }, translator.text('problem.retry'));
    retry.addEventListener('click', () => void session.retry());
    box.append(retry);
  }
  return [box];
}

/** Grey shapes where the look-alikes are about to appear. */
function placeholders() {
  return [0, 1, 2, 3, 4].map((rank) =>
    element('li', { className: rank === 0 ? 'match best' : 'match', ariaHidden: 'true' }, element('div', { className: 'pair' })),
  );
}

/** Tells screen readers what the others see. */
function announce() {
  const { problem, lookAlikes } = session.state;
  let text = title();
  if (problem) {
    text += ` ${translator.text(`problem.${problem}.advice`)}`;
  } else if (lookAlikes.length > 0) {
    const [{ person, similarity }] = lookAlikes;
    text = translator.text('found.announcement', { name: person.name, percent: translator.percent(similarity) });
  }
  if (announcement.textContent !== text) {
    announcement.textContent = text;
  }
}

/**
 * When what had the focus is gone, the keyboard goes on at the beginning of what came instead.
 *
 * @param {HTMLElement} beginning
 */
function keepFocus(beginning) {
  const { activeElement } = document;
  const isGone = activeElement === document.body ? session.state.step !== 'start' : activeElement?.closest('[hidden]');
  if (isGone) {
    beginning.focus({ preventScroll: true });
  }
}
