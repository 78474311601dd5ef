import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cropPlace, faceSquare, markPlace } from '../geometry.js';
import { fitted } from '../photo.js';

test('a mark covers the same share of the photo at any size', () => {
  const place = markPlace([50, 20, 100, 80], { width: 400, height: 200 });
  assert.deepEqual(place, { left: '12.500%', top: '10.000%', width: '25.000%', height: '40.000%' });
});

test('the square around a face has room for the hair and is centred on the face', () => {
  const { x, y, side } = faceSquare([450, 400, 100, 120], { width: 1000, height: 1000 });
  assert.equal(side, 240);
  assert.equal(x + side / 2, 500);
  assert.ok(y < 400 && y + side > 520);
});

test('the square stays inside the photo wherever the face is', () => {
  const photo = { width: 300, height: 200 };
  for (const [x, y] of [[-20, -20], [0, 0], [250, 0], [0, 150], [250, 150], [280, 190]]) {
    for (const size of [20, 90, 400]) {
      const square = faceSquare([x, y, size, size], photo);
      assert.ok(square.x >= 0 && square.x + square.side <= photo.width, JSON.stringify(square));
      assert.ok(square.y >= 0 && square.y + square.side <= photo.height, JSON.stringify(square));
    }
  }
});

test('a crop shifts and scales the whole photo so that only the square is in the frame', () => {
  const place = cropPlace([150, 77, 100, 100], { width: 400, height: 800 });
  // The square is 200 wide at (100, 35): the photo is twice as wide as the frame, half a frame to the left.
  assert.deepEqual(place, { left: '-50.000%', top: '-17.500%', width: '200.000%', height: '400.000%' });
});

test('a photo is made smaller but never larger, and keeps at least one pixel', () => {
  assert.deepEqual(fitted({ width: 4000, height: 3000 }, 1600), { width: 1600, height: 1200 });
  assert.deepEqual(fitted({ width: 640, height: 480 }, 1600), { width: 640, height: 480 });
  assert.deepEqual(fitted({ width: 1, height: 9000 }, 1600), { width: 1, height: 1600 });
});
