// @ts-check
import { findPerson } from './api.js';
import { button, element } from './dom.js';
import { portraitPicture } from './duel.js';
import { Problem } from './problem.js';
import { card } from './results.js';

/**
 * @typedef {import('./api.js').Profile} Profile
 * @typedef {import('./i18n.js').MessageKey} MessageKey
 * @typedef {import('./i18n.js').Translator} Translator
 */

/** Which columns of a list of people say what of the terms of a photo. */
const TERMS = /** @type {const} */ ([
  ['person.licence', /^licen[cs]e/i],
  ['person.author', /^(author|artist|creator|credit|photographer|attribution|copyright)/i],
  ['person.source', /^(source|url|link|page)/i],
]);

/** `<person-dialog>`: a person of the gallery with portraits, the photos' terms, and who looks like them. */
export class PersonDialog extends HTMLElement {
  #dialog = element('dialog', { className: 'person' });
  #work = new AbortController();
  #id = '';

  /**
   * Shows the person whom the page's address names, or nobody: a panel can be linked to, and left by
   * going back.
   *
   * @param {Translator} translator
   */
  static follow(translator) {
    const id = new URLSearchParams(location.hash.slice(1)).get('person');
    const open = document.querySelector('person-dialog');
    if (id === null) {
      open?.remove();
      return;
    }
    const view = open instanceof PersonDialog ? open : new PersonDialog();
    if (!view.isConnected) {
      document.body.append(view);
    }
    void view.#load(id, translator);
  }

  connectedCallback() {
    this.append(this.#dialog);
    this.#dialog.addEventListener('close', () => {
      this.remove();
      if (location.hash !== '') {
        history.replaceState(null, '', location.pathname + location.search);
      }
    });
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) {
        this.#dialog.close(); // A click beside the panel.
      }
    });
    this.#dialog.showModal();
  }

  disconnectedCallback() {
    this.#work.abort();
  }

  /**
   * @param {string} id
   * @param {Translator} translator
   */
  async #load(id, translator) {
    this.#id = id;
    this.#work.abort();
    this.#work = new AbortController();
    const { signal } = this.#work;
    this.#show(translator, element('p', { role: 'status' }, translator.text('person.loading')));
    try {
      const profile = await findPerson(id, signal);
      signal.throwIfAborted();
      this.#show(translator, ...this.#drawn(profile, translator));
      this.#dialog.querySelector('h2')?.focus();
    } catch (error) {
      if (!signal.aborted) {
        this.#show(translator, this.#problem(error, translator));
      }
    }
  }

  /**
   * @param {Translator} translator
   * @param {HTMLElement[]} content
   */
  #show(translator, ...content) {
    const close = button('button quiet close', translator.text('person.close'), () => this.#dialog.close());
    this.#dialog.ariaLabel = translator.text('person.title');
    const panel = element('div', { className: 'panel' }, ...content);
    this.#dialog.replaceChildren(panel, element('div', { className: 'actions' }, close));
  }

  /**
   * @param {Profile} profile
   * @param {Translator} translator
   */
  #drawn({ person, portraits, lookalikes }, translator) {
    const alt = translator.text('found.portraitAlt', { name: person.name });
    const noTerms = translator.text('person.noTerms');
    const known = portraits.map(({ details }) => terms(details ?? {}, translator));
    const isSilent = known.every((lines) => lines.length === 0);
    const shown = portraits.map(({ portrait }, index) => {
      const picture = portraitPicture({ person, portrait, similarity: 1 }, alt);
      const lines = known[index].length > 0 ? known[index] : [noTerms];
      const caption = isSilent ? [] : [element('figcaption', {}, ...lines)];
      return element('figure', {}, element('div', { className: 'frame' }, picture), ...caption);
    });
    /** @type {HTMLElement[]} */
    const content = [
      element('h2', { className: 'name', tabIndex: -1 }, person.name),
      element('div', { className: 'portraits' }, ...shown),
    ];
    if (isSilent) {
      content.push(element('p', { className: 'hint' }, noTerms)); // Once for all.
    }
    if (lookalikes.length > 0) {
      const others = lookalikes.map((other) => {
        const open = () => {
          location.hash = `person=${encodeURIComponent(other.person.id)}`;
        };
        return element('li', {}, card(other, translator, open));
      });
      content.push(element('h3', {}, translator.text('person.lookAlikes')), element('ul', { className: 'matches' }, ...others));
    }
    return content;
  }

  /**
   * @param {unknown} error
   * @param {Translator} translator
   */
  #problem(error, translator) {
    const kind = error instanceof Problem ? error.kind : 'server';
    const retry = button('button', translator.text('problem.retry'), () => void this.#load(this.#id, translator));
    return element(
      'div',
      { className: 'problem', role: 'alert' },
      element('p', { className: 'what' }, translator.text(`problem.${kind}.title`)),
      element('p', {}, translator.text(`problem.${kind}.advice`)),
      retry,
    );
  }
}

/**
 * The terms of a photo, as far as the gallery knows them.
 *
 * @param {Record<string, string>} details
 * @param {Translator} translator
 */
function terms(details, translator) {
  return TERMS.flatMap(([key, column]) =>
    Object.entries(details)
      .filter(([name, value]) => column.test(name) && value !== '')
      .map(([, value]) => element('span', {}, `${translator.text(key)}: `, linked(value))),
  );
}

/** @param {string} value an address becomes a link, all else stays text */
function linked(value) {
  return /^https?:\/\//.test(value)
    ? element('a', { href: value, rel: 'noreferrer', target: '_blank' }, value.replace(/^https?:\/\/(www\.)?/, ''))
    : value;
}

customElements.define('person-dialog', PersonDialog);
