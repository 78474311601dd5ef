// @ts-check
import { portraitAddress } from './api.js';
import { element, placed } from './dom.js';
import { cropPlace } from './geometry.js';

/**
 * @typedef {import('./api.js').LookAlike} LookAlike
 * @typedef {import('./session.js').State} State
 * @typedef {import('./i18n.js').Translator} Translator
 */

/**
 * The look-alikes, best first: each with the chosen face beside the portrait.
 *
 * @param {State} state
 * @param {Translator} translator
 * @returns {HTMLElement[]} list items
 */
export function matchItems(state, translator) {
  return state.lookAlikes.map((lookAlike, rank) => {
    const isBest = rank === 0;
    const item = element('li', { className: isBest ? 'match best' : 'match' }, pair(state, lookAlike, translator));
    if (isBest) {
      item.append(element('p', { className: 'eyebrow' }, translator.text('found.best')));
    }
    item.append(
      element('p', { className: 'name' }, lookAlike.person.name),
      element(
        'p',
        { className: 'similarity' },
        element('span', { className: 'visually-hidden' }, translator.text('found.similarity')),
        ` ${translator.percent(lookAlike.similarity)}`,
      ),
    );
    return item;
  });
}

/**
 * @param {State} state
 * @param {LookAlike} lookAlike
 * @param {Translator} translator
 */
function pair(state, lookAlike, translator) {
  const portrait = element('img', {
    src: portraitAddress(lookAlike),
    alt: translator.text('found.portraitAlt', { name: lookAlike.person.name }),
  });
  return element('div', { className: 'pair' }, ...faceCrop(state, translator), half('portrait', portrait));
}

/**
 * The chosen face cut out of the photo; nothing when the browser cannot show the photo.
 *
 * @param {State} state
 * @param {Translator} translator
 */
function faceCrop({ photo, faces, face }, translator) {
  const chosen = face === null ? undefined : faces[face];
  if (!photo?.preview || !chosen) {
    return [];
  }
  const picture = element('img', { src: photo.preview.url, alt: translator.text('photo.cropAlt') });
  return [half('crop', placed(picture, cropPlace(chosen.box, photo.preview)))];
}

/**
 * @param {string} className
 * @param {HTMLImageElement} picture
 */
function half(className, picture) {
  return element('div', { className: `half ${className}` }, picture);
}
