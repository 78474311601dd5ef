// @ts-check
import en from './messages/en.js';
import ru from './messages/ru.js';

/**
 * @typedef {keyof typeof LANGUAGES} Language
 * @typedef {import('./messages/en.js').Messages} Messages
 * @typedef {keyof Messages} MessageKey
 */

export const LANGUAGES = { en, ru };

const SAVED = 'language';

/**
 * The visitor's earlier choice, else the first of the browser's languages that the page speaks,
 * else English.
 *
 * @param {string | null} saved
 * @param {readonly string[]} preferred such as `['ru-RU', 'en']`
 * @returns {Language}
 */
export function pickLanguage(saved, preferred) {
  for (const tag of [saved ?? '', ...preferred]) {
    const language = tag.toLowerCase().split('-')[0];
    if (isLanguage(language)) {
      return language;
    }
  }
  return 'en';
}

/**
 * @param {string} text
 * @returns {text is Language}
 */
export function isLanguage(text) {
  return Object.hasOwn(LANGUAGES, text);
}

/**
 * A message with its `{name}` places filled in.
 *
 * @param {string} message
 * @param {Record<string, string | number>} values
 */
export function filled(message, values) {
  return message.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/** Speaks the visitor's language. */
export class Translator {
  language = pickLanguage(savedLanguage(), navigator.languages);

  /**
   * @param {MessageKey} key
   * @param {Record<string, string | number>} [values]
   */
  text(key, values = {}) {
    return filled(LANGUAGES[this.language][key], values);
  }

  /** @param {number} ratio 0 to 1 */
  percent(ratio) {
    return new Intl.NumberFormat(this.language, { style: 'percent', maximumFractionDigits: 0 }).format(ratio);
  }

  /** @param {Language} language */
  remember(language) {
    this.language = language;
    try {
      localStorage.setItem(SAVED, language);
    } catch {
      // Storage is switched off: the choice holds until the page is left.
    }
  }

  /** Puts the fixed texts of the document into the current language. */
  translateDocument() {
    document.documentElement.lang = this.language;
    for (const node of document.querySelectorAll('[data-text]')) {
      node.textContent = this.text(/** @type {MessageKey} */ (node.getAttribute('data-text')));
    }
    for (const node of document.querySelectorAll('[data-label]')) {
      node.setAttribute('aria-label', this.text(/** @type {MessageKey} */ (node.getAttribute('data-label'))));
    }
  }
}

function savedLanguage() {
  try {
    return localStorage.getItem(SAVED);
  } catch {
    return null;
  }
}
