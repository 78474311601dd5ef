import assert from 'node:assert/strict';
import { test } from 'node:test';
import en from '../messages/en.js';
import { filled } from '../i18n.js';
import { adviceOf, announcementOf, hintOf, titleOf } from '../words.js';

const translator = {
  text: (key, values = {}) => filled(en[key], values),
  percent: (ratio) => `${Math.round(100 * ratio)}%`,
};
const state = (changes) => ({
  step: 'start', photo: null, faces: [], face: null, lookAlikes: [], shown: 0, slow: false, problem: null, retryIn: null, ...changes,
});
const lookAlikes = [
  { person: { id: 'a', name: 'Ann' }, similarity: 0.724 },
  { person: { id: 'b', name: 'Bea' }, similarity: 0.5 },
];

test('a screen reader hears who was found, which face that was, and what is wrong with it', () => {
  const faces = [{ flaw_kind: 'turned' }, {}];
  const found = state({ step: 'found', faces, face: 0, lookAlikes });
  assert.equal(announcementOf(found, translator), `Best match: Ann, 72%. ${en['flaw.turned']} ${en['photo.severalFaces']}`);
  assert.equal(announcementOf({ ...found, face: 1, shown: 1 }, translator), `Compared with Bea, 50%. ${en['photo.severalFaces']}`);
});

test('a problem is told with what to do about it', () => {
  const busy = state({ step: 'failed', problem: 'busy' });
  assert.equal(announcementOf(busy, translator), `${en['problem.busy.title']} ${en['problem.busy.advice']}`);
  assert.equal(adviceOf({ ...busy, retryIn: 7 }, translator), 'Your photo is sent again in 7 s.');
});

test('every step of the work has its words, and nothing is said of nothing', () => {
  assert.equal(titleOf(state({ step: 'preparing' }), translator), en['search.preparing']);
  assert.equal(announcementOf(state({ step: 'searching', slow: true }), translator), `${en['search.searching']} ${en['search.slow']}`);
  assert.equal(announcementOf(state({}), translator) + hintOf(state({}), translator), '');
});
