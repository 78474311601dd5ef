// @ts-check
import { blend, findLookAlikes } from './api.js';
import { CameraDialog } from './camera.js';
import { SOURCE } from './config.js';
import { button, byId, element } from './dom.js';
import { FaceDuel } from './duel.js';
import { MarkedPhoto } from './faces.js';
import { PersonDialog } from './person.js';
import { preparePhoto, releasePhoto } from './photo.js';
import { isWorthRetrying } from './problem.js';
import { duelOf, results } from './results.js';
import { Session } from './session.js';
import { shareCard } from './share.js';
import { adviceOf, announcementOf, hintOf, titleOf } from './words.js';

/**
 * @typedef {import('./duel.js').Duel} Duel
 * @typedef {import('./i18n.js').Translator} Translator
 */

/** The page once its parts are here: it shows the session's state, and tells the session what the visitor does. */
export class App {
  #translator;
  #session = new Session({ preparePhoto, releasePhoto, findLookAlikes }, () => this.render());
  #input = byId('file', HTMLInputElement);
  #photo = byId('photo', MarkedPhoto);
  #heading = byId('heading', HTMLElement);
  #found = byId('found', HTMLElement);
  #announcement = byId('announcement', HTMLElement);
  /** What the results were made for: they stay as they are, with the slider, while it is the same. */
  #shown = '';
  /** Aborted when other results are shown. */
  #showing = new AbortController();

  /** @param {Translator} translator */
  constructor(translator) {
    this.#translator = translator;
    this.#photo.onchoose = (face) => void this.#session.chooseFace(face);
    byId('another', HTMLButtonElement).addEventListener('click', () => this.#input.click());
    byId('cancel', HTMLButtonElement).addEventListener('click', () => this.#session.cancel());
    addEventListener('online', () => {
      if (this.#session.state.problem === 'offline') {
        void this.#session.retry();
      }
    });
    addEventListener('hashchange', () => PersonDialog.follow(translator));
    const link = element('a', { href: SOURCE.href, rel: 'noreferrer' }, translator.text('privacy.codeServer'));
    link.dataset.text = 'privacy.codeServer';
    byId('code-links', HTMLElement).append(link);
    PersonDialog.follow(translator);
  }

  /** @param {Blob} file */
  choosePhoto(file) {
    void this.#session.choosePhoto(file);
  }

  async useCamera() {
    const picture = await CameraDialog.takePicture(this.#translator);
    if (picture) {
      this.choosePhoto(picture);
    }
  }

  /** Shows the session's state in the translator's language. */
  render() {
    const { state } = this.#session;
    const { activeElement } = document; // Before it is hidden, which takes the focus from it.
    const isBusy = state.step === 'preparing' || state.step === 'searching';
    const isOnStage = isBusy || state.photo !== null;
    const visible = {
      start: !isOnStage,
      stage: isOnStage,
      progress: isBusy,
      cancel: isBusy,
      another: !isBusy,
      'camera-again': !isBusy,
      hint: hintOf(state, this.#translator) !== '',
    };
    for (const [id, isVisible] of Object.entries(visible)) {
      byId(id, HTMLElement).hidden = !isVisible;
    }
    byId('stage', HTMLElement).dataset.step = state.step;
    byId('another', HTMLElement).classList.toggle('quiet', state.problem === null || isWorthRetrying(state.problem));
    byId('hint', HTMLElement).textContent = hintOf(state, this.#translator);
    byId('start-problem', HTMLElement).replaceChildren(...(isOnStage ? [] : this.#problemBox()));
    byId('stage-problem', HTMLElement).replaceChildren(...(isOnStage ? this.#problemBox() : []));
    this.#heading.textContent = titleOf(state, this.#translator);
    this.#photo.show(state, this.#translator);
    this.#showResults();
    this.#announce(announcementOf(state, this.#translator));
    this.#keepFocus(activeElement, isOnStage ? this.#heading : this.#input);
  }

  #showResults() {
    const { state } = this.#session;
    const { photo, face, lookAlikes } = state;
    const people = lookAlikes.map(({ person }) => person.id);
    const shown = JSON.stringify([photo?.url, face, people, state.shown, this.#translator.language]);
    if (shown === this.#shown) {
      return;
    }
    this.#shown = shown;
    this.#showing.abort();
    this.#showing = new AbortController();
    const actions = {
      show: (/** @type {number} */ index) => this.#showOther(index),
      openPerson: (/** @type {string} */ id) => void (location.hash = `person=${encodeURIComponent(id)}`),
      share: (/** @type {Duel} */ duel, /** @type {HTMLButtonElement} */ pressed) => void this.#share(duel, pressed),
    };
    this.#found.replaceChildren(...results(state, this.#translator, actions));
    void this.#addBlend(this.#showing.signal);
  }

  /**
   * Adds the face between the two, where the server makes one.
   *
   * @param {AbortSignal} signal
   */
  async #addBlend(signal) {
    const duel = duelOf(this.#session.state);
    const view = this.#found.querySelector('face-duel');
    if (!duel || !(view instanceof FaceDuel)) {
      return;
    }
    const picture = await blend(duel.photo.blob, duel.lookAlike.person.id, signal);
    if (picture && !signal.aborted) {
      const url = URL.createObjectURL(picture);
      signal.addEventListener('abort', () => URL.revokeObjectURL(url));
      view.addBlend(url, this.#translator);
    }
  }

  /** @param {number} index */
  #showOther(index) {
    this.#session.show(index);
    const name = this.#found.querySelector('h2.name');
    if (name instanceof HTMLElement) {
      name.focus({ preventScroll: true });
      this.#found.scrollIntoView({ block: 'start' });
    }
  }

  /**
   * @param {Duel} duel
   * @param {HTMLButtonElement} pressed
   */
  async #share(duel, pressed) {
    pressed.disabled = true;
    const done = await shareCard(duel, this.#translator).catch((error) => {
      console.error(error);
      return /** @type {const} */ ('failed');
    });
    pressed.disabled = false;
    pressed.focus({ preventScroll: true });
    if (done === 'saved' || done === 'failed') {
      pressed.textContent = this.#translator.text(`share.${done}`);
      this.#announce(pressed.textContent);
    }
  }

  /** What to do about the problem, if there is one, and what it is where no heading says so. */
  #problemBox() {
    const { state } = this.#session;
    const { problem, photo, retryIn } = state;
    if (!problem) {
      return [];
    }
    const box = element('div', { className: 'problem' });
    if (!photo) {
      box.append(element('p', { className: 'what' }, titleOf(state, this.#translator)));
    }
    box.append(element('p', {}, adviceOf(state, this.#translator)));
    if (photo && isWorthRetrying(problem)) {
      const again = retryIn === null ? 'problem.retry' : 'problem.retryNow';
      box.append(button('button', this.#translator.text(again), () => void this.#session.retry()));
    }
    return [box];
  }

  /**
   * Tells screen readers what the others see.
   *
   * @param {string} text
   */
  #announce(text) {
    if (this.#announcement.textContent !== text) {
      this.#announcement.textContent = text;
    }
  }

  /**
   * When what had the focus is gone, the keyboard goes on at the beginning of what came instead.
   *
   * @param {Element | null} focused what had it
   * @param {HTMLElement} beginning
   */
  #keepFocus(focused, beginning) {
    const isGone =
      focused === document.body
        ? this.#session.state.step !== 'start'
        : !focused?.isConnected || focused.closest('[hidden]');
    if (isGone) {
      beginning.focus({ preventScroll: true });
    }
  }
}
