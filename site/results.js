// @ts-check
import { button, element, placed } from './dom.js';
import { eyesOf, FaceDuel, portraitPicture } from './duel.js';
import { aligned, posePlace } from './geometry.js';

/**
 * @typedef {import('./api.js').LookAlike} LookAlike
 * @typedef {import('./duel.js').Duel} Duel
 * @typedef {import('./i18n.js').MessageKey} MessageKey
 * @typedef {import('./session.js').State} State
 * @typedef {import('./i18n.js').Translator} Translator
 *
 * What the visitor can do with the results.
 *
 * @typedef {object} Actions
 * @property {(index: number) => void} show
 * @property {(id: string) => void} openPerson
 * @property {(duel: Duel, button: HTMLButtonElement) => void} share
 */

/**
 * What was found: one look-alike in large beside the visitor's face, and the others below.
 *
 * @param {State} state
 * @param {Translator} translator
 * @param {Actions} actions
 */
export function results(state, translator, actions) {
  const duel = duelOf(state);
  if (!duel) {
    return [];
  }
  const view = new FaceDuel();
  void view.show(duel, translator);
  const others = state.lookAlikes.map((lookAlike, index) => card(lookAlike, translator, () => actions.show(index)));
  others.splice(state.shown, 1);
  const best = element('div', { className: 'match best' }, view, verdict(duel, state.shown === 0, translator, actions));
  return others.length === 0
    ? [best]
    : [
        best,
        element('h2', {}, translator.text('found.others')),
        element('ul', { className: 'matches' }, ...others.map((other) => element('li', {}, other))),
      ];
}

/**
 * The two who are compared in large.
 *
 * @param {State} state
 * @returns {Duel | null}
 */
export function duelOf({ photo, faces, face, lookAlikes, shown }) {
  const chosen = face === null ? undefined : faces[face];
  const lookAlike = lookAlikes[shown];
  return photo && chosen && lookAlike ? { photo, face: chosen, lookAlike } : null;
}

/**
 * @param {Duel} duel
 * @param {boolean} isBest
 * @param {Translator} translator
 * @param {Actions} actions
 */
function verdict(duel, isBest, translator, actions) {
  const { person, similarity } = duel.lookAlike;
  const share = button('button', translator.text('share.button'), () => actions.share(duel, share));
  return element(
    'div',
    { className: 'verdict' },
    element('p', { className: 'eyebrow' }, translator.text(isBest ? 'found.best' : 'found.other')),
    element('h2', { className: 'name', tabIndex: -1 }, person.name),
    similarityText(similarity, translator),
    element('p', { className: 'likeness' }, translator.text(likeness(similarity))),
    element(
      'div',
      { className: 'actions' },
      share,
      button('button quiet', translator.text('person.about'), () => actions.openPerson(person.id)),
    ),
    element(
      'details',
      { className: 'note' },
      element('summary', {}, translator.text('found.noteTitle')),
      element('p', {}, translator.text('found.note')),
    ),
  );
}

/**
 * A look-alike in small, to be shown in large.
 *
 * @param {LookAlike} lookAlike
 * @param {Translator} translator
 * @param {() => void} onChoose
 */
export function card(lookAlike, translator, onChoose) {
  const portrait = portraitPicture(lookAlike, '');
  portrait.loading = 'lazy';
  portrait.addEventListener('load', () => {
    const size = { width: portrait.naturalWidth, height: portrait.naturalHeight };
    const [pose] = aligned([{ size, eyes: eyesOf(lookAlike, size) }]);
    placed(portrait, posePlace(pose, size));
  });
  const made = button('match card', '', onChoose);
  made.append(
    element('span', { className: 'frame' }, portrait),
    element('span', { className: 'name' }, lookAlike.person.name),
    similarityText(lookAlike.similarity, translator),
  );
  return made;
}

/**
 * @param {number} similarity
 * @param {Translator} translator
 */
function similarityText(similarity, translator) {
  return element(
    'span',
    { className: 'similarity' },
    element('span', { className: 'visually-hidden' }, translator.text('found.similarity')),
    ` ${translator.percent(similarity)}`,
  );
}

/**
 * What a similarity means, in words; by the curve of the default network strangers who look alike
 * reach 0.5 to 0.8, two photos of one person more than 0.9.
 *
 * @param {number} similarity
 * @returns {MessageKey}
 */
export function likeness(similarity) {
  if (similarity >= 0.9) {
    return 'likeness.same';
  }
  if (similarity >= 0.65) {
    return 'likeness.strong';
  }
  return similarity >= 0.4 ? 'likeness.some' : 'likeness.faint';
}
