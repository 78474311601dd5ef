import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthRetrying, problemOfStatus } from '../problem.js';

test('each documented refusal has its own words', () => {
  const kinds = [400, 415, 413, 422, 503, 429, 408, 500, 502, 404].map(problemOfStatus);
  assert.deepEqual(kinds, [
    'notAPhoto', 'notAPhoto', 'tooLarge', 'noFace', 'busy', 'busy', 'noNetwork', 'server', 'server', 'server',
  ]);
});

test('only passing problems are worth another try with the same photo', () => {
  assert.deepEqual(
    ['offline', 'noNetwork', 'busy', 'server', 'noFace', 'notAPhoto', 'heic', 'tooLarge', 'emptyGallery'].map(isWorthRetrying),
    [true, true, true, true, false, false, false, false, false],
  );
});
