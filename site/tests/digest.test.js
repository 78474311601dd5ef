import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentHash } from '../digest.js';

test('the hash is that of the bytes', async () => {
  assert.deepEqual(await contentHash(new Blob(['abc'])), {
    'x-amz-content-sha256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
});
