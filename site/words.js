// @ts-check

/**
 * What the page says of its state.
 *
 * @typedef {import('./i18n.js').MessageKey} MessageKey
 * @typedef {import('./i18n.js').Translator} Translator
 * @typedef {import('./session.js').State} State
 */

/**
 * @param {State} state
 * @param {Translator} translator
 */
export function titleOf({ step, problem }, translator) {
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

/**
 * What to do about the problem, if there is one.
 *
 * @param {State} state
 * @param {Translator} translator
 */
export function adviceOf({ problem, retryIn }, translator) {
  if (retryIn !== null) {
    return translator.text('problem.busy.waiting', { seconds: retryIn });
  }
  return problem ? translator.text(`problem.${problem}.advice`) : '';
}

/**
 * What may help although nothing went wrong.
 *
 * @param {State} state
 * @param {Translator} translator
 */
export function hintOf({ step, slow, faces, face }, translator) {
  const flaw = face === null ? undefined : faces[face]?.flaw_kind;
  if (slow) {
    return translator.text('search.slow');
  }
  const hints = [
    step === 'found' && flaw ? translator.text(`flaw.${flaw}`) : '',
    faces.length > 1 ? translator.text('photo.severalFaces') : '',
  ];
  return hints.filter(Boolean).join(' ');
}

/**
 * What screen readers tell when the state has changed.
 *
 * @param {State} state
 * @param {Translator} translator
 */
export function announcementOf(state, translator) {
  const lookAlike = state.lookAlikes[state.shown];
  const texts = [titleOf(state, translator), adviceOf(state, translator)];
  if (lookAlike) {
    const { person, similarity } = lookAlike;
    const key = state.shown === 0 ? 'found.announcement' : 'found.otherAnnouncement';
    texts.splice(0, 2, translator.text(key, { name: person.name, percent: translator.percent(similarity) }));
  }
  return [...texts, hintOf(state, translator)].filter(Boolean).join(' ');
}
