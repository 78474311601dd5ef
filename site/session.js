// @ts-check
import { Problem } from './problem.js';

/**
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {import('./api.js').Face} Face
 * @typedef {import('./api.js').LookAlike} LookAlike
 * @typedef {import('./photo.js').Photo} Photo
 * @typedef {import('./problem.js').ProblemKind} ProblemKind
 *
 * All that the page shows.
 *
 * @typedef {object} State
 * @property {'start' | 'preparing' | 'searching' | 'found' | 'failed'} step
 * @property {Photo | null} photo
 * @property {Face[]} faces known once a search of this photo has succeeded
 * @property {number | null} face the index of the chosen face; `null` leaves the choice to the server
 * @property {LookAlike[]} lookAlikes filled when found
 * @property {number} shown the index of the look-alike that is compared in large
 * @property {boolean} slow whether a search takes longer than people expect
 * @property {ProblemKind | null} problem set when failed
 * @property {number | null} retryIn the seconds after which the same photo is sent again by itself
 *
 * What the session needs from outside.
 *
 * @typedef {object} Services
 * @property {(file: Blob) => Promise<Photo>} preparePhoto
 * @property {(photo: Photo) => void} releasePhoto
 * @property {(photo: Blob, face: number | null, signal: AbortSignal) => Promise<Answer>} findLookAlikes
 */

/** @type {Readonly<State>} */
const START = Object.freeze({
  step: 'start',
  photo: null,
  faces: [],
  face: null,
  lookAlikes: [],
  shown: 0,
  slow: false,
  problem: null,
  retryIn: null,
});

/** When the page admits that it takes long, in milliseconds. */
const PATIENCE = 6000;
/** How often a busy server is asked again by itself. */
const MOST_RETRIES = 3;
/** Nobody waits longer than that for a busy server to be asked again, in seconds. */
const LONGEST_WAIT = 30;

/**
 * The one place where the page's state changes. Each action of the visitor aborts the one before
 * it, and work that was aborted can no longer change the state: answers cannot overtake each other.
 */
export class Session {
  #services;
  #onChange;
  #state = START;
  /** Where cancelling leads back to. */
  #settled = START;
  #work = new AbortController();
  #retries = 0;

  /**
   * @param {Services} services
   * @param {() => void} onChange called after each change of `state`
   */
  constructor(services, onChange) {
    this.#services = services;
    this.#onChange = onChange;
  }

  get state() {
    return this.#state;
  }

  /**
   * Starts over with another photo.
   *
   * @param {Blob} file
   */
  async choosePhoto(file) {
    this.#settled = START;
    this.#retries = 0;
    const signal = this.#begin({ ...START, step: 'preparing' });
    await this.#attempt(signal, async () => {
      const photo = await this.#services.preparePhoto(file);
      if (signal.aborted) {
        this.#services.releasePhoto(photo);
        return;
      }
      this.#change({ ...START, step: 'searching', photo });
      await this.#search(photo, signal);
    });
  }

  /**
   * Compares another face of the same photo.
   *
   * @param {number} face
   */
  async chooseFace(face) {
    this.#retries = 0;
    await this.#searchAgain({ face });
  }

  /**
   * Shows another look-alike in large.
   *
   * @param {number} shown its index
   */
  show(shown) {
    this.#change({ ...this.#state, shown });
    this.#settled = this.#state;
  }

  /** Sends the same photo again after a passing problem. */
  async retry() {
    await this.#searchAgain({});
  }

  /** Stops the work and goes back to what was shown before it. */
  cancel() {
    this.#begin(this.#settled);
  }

  /** @param {{face?: number}} choice */
  async #searchAgain(choice) {
    const { photo, faces, face } = this.#state;
    if (!photo) {
      return;
    }
    const signal = this.#begin({ ...START, step: 'searching', photo, faces, face, ...choice });
    await this.#attempt(signal, () => this.#search(photo, signal));
  }

  /**
   * @param {Photo} photo
   * @param {AbortSignal} signal
   */
  async #search(photo, signal) {
    const patience = later(PATIENCE, signal, () => this.#change({ ...this.#state, slow: true }));
    try {
      const { faces, face, lookalikes } = await this.#services.findLookAlikes(photo.blob, this.#state.face, signal);
      signal.throwIfAborted();
      if (lookalikes.length === 0) {
        throw new Problem('emptyGallery');
      }
      this.#change({ ...START, step: 'found', photo, faces, face, lookAlikes: lookalikes });
      this.#settled = this.#state;
    } finally {
      clearTimeout(patience);
    }
  }

  /**
   * Runs one piece of work; its failure becomes the state unless it was aborted.
   *
   * @param {AbortSignal} signal
   * @param {() => Promise<void>} work
   */
  async #attempt(signal, work) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (!(error instanceof Problem)) {
        console.error(error);
      }
      const { kind, retryAfter } = error instanceof Problem ? error : new Problem('server');
      const retryIn = kind === 'busy' && this.#retries < MOST_RETRIES ? Math.min(retryAfter ?? 2, LONGEST_WAIT) : null;
      this.#change({ ...this.#state, step: 'failed', slow: false, problem: kind, retryIn });
      if (retryIn !== null) {
        this.#retries += 1;
        later(1000 * retryIn, signal, () => void this.retry());
      }
    }
  }

  /**
   * Aborts the work in progress and enters `state`.
   *
   * @param {State} state
   */
  #begin(state) {
    this.#work.abort();
    this.#work = new AbortController();
    this.#change(state);
    return this.#work.signal;
  }

  /** @param {State} state */
  #change(state) {
    const { photo } = this.#state;
    this.#state = Object.freeze(state);
    this.#onChange();
    if (photo && photo !== state.photo) {
      this.#services.releasePhoto(photo);
    }
  }
}

/**
 * Does something after a time, unless `signal` is aborted before.
 *
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @param {() => void} action
 */
function later(milliseconds, signal, action) {
  const timer = setTimeout(action, milliseconds);
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  return timer;
}
