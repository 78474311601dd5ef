import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aligned, markPlace, posePlace, usualBox, usualEyes } from '../geometry.js';
import { fitted, isHeic } from '../photo.js';

test('a mark covers the same share of the photo at any size', () => {
  const place = markPlace([50, 20, 100, 80], { width: 400, height: 200 });
  assert.deepEqual(place, { left: '12.500%', top: '10.000%', width: '25.000%', height: '40.000%' });
});

/** Where a pixel of a picture lies in the frame, in shares of it, by what the CSS says. */
function inFrame(place, size, [x, y]) {
  const [left, top, width, height] = ['left', 'top', 'width', 'height'].map((key) => parseFloat(place[key]) / 100);
  const [ox, oy] = place.transformOrigin.split(' ').map((share) => parseFloat(share) / 100);
  const angle = parseFloat(place.transform.slice('rotate('.length));
  const [dx, dy] = [(x / size.width - ox) * width, (y / size.height - oy) * height];
  return [
    left + ox * width + dx * Math.cos(angle) - dy * Math.sin(angle),
    top + oy * height + dx * Math.sin(angle) + dy * Math.cos(angle),
  ];
}

test('the eyes of all pictures come to lie in the same places, level', () => {
  const pictures = [
    { size: { width: 4000, height: 3000 }, eyes: [[1500, 1000], [1900, 1200]] },
    { size: { width: 320, height: 320 }, eyes: [[140, 130], [185, 128]] },
    { size: { width: 900, height: 1600 }, eyes: [[600, 900], [500, 700]] },
  ];
  const poses = aligned(pictures);
  const places = pictures.map(({ size, eyes }, index) => eyes.map((eye) => inFrame(posePlace(poses[index], size), size, eye)));
  for (const [left, right] of places) {
    assert.ok(Math.abs(left[1] - right[1]) < 1e-3 && right[0] - left[0] > 0.19, JSON.stringify(places));
    assert.ok(Math.abs(left[0] - places[0][0][0]) < 1e-3 && Math.abs(left[1] - places[0][0][1]) < 1e-3, JSON.stringify(places));
  }
});

test('pictures are enlarged until they fill the frame, but not without end', () => {
  const apart = ([pose], [[x0], [x1]]) => pose.scale * (x1 - x0);
  const roomy = [{ size: { width: 1000, height: 1000 }, eyes: [[460, 450], [540, 450]] }];
  assert.ok(Math.abs(apart(aligned(roomy), roomy[0].eyes) - 0.2) < 1e-9);
  const tight = [{ size: { width: 1000, height: 1000 }, eyes: [[370, 420], [630, 420]] }];
  assert.ok(Math.abs(apart(aligned(tight), tight[0].eyes) - 0.26) < 0.011);
  const close = [{ size: { width: 1000, height: 1000 }, eyes: [[350, 350], [650, 350]] }];
  assert.ok(Math.abs(apart(aligned(close), close[0].eyes) - 0.36) < 0.011);
  const edge = [{ size: { width: 1000, height: 1000 }, eyes: [[10, 20], [300, 20]] }];
  assert.ok(Math.abs(apart(aligned(edge), edge[0].eyes) - 0.31) < 1e-9);
});

test('eyes in one place do not break anything', () => {
  const size = { width: 10, height: 10 };
  const [pose] = aligned([{ size, eyes: [[5, 5], [5, 5]] }]);
  assert.ok(Object.values(posePlace(pose, size)).every((value) => !value.includes('NaN') && !value.includes('Inf')));
});

test('unknown eyes are taken to be where they usually are', () => {
  assert.deepEqual(usualEyes([100, 200, 50, 100]), [[115, 240], [135, 240]]);
  const [[left, top], [right]] = usualEyes(usualBox({ width: 300, height: 300 }));
  assert.ok(left < 150 && right > 150 && top > 120 && top < 150);
});

test('a photo is made smaller but never larger, and keeps at least one pixel', () => {
  assert.deepEqual(fitted({ width: 4000, height: 3000 }, 1600), { width: 1600, height: 1200 });
  assert.deepEqual(fitted({ width: 640, height: 480 }, 1600), { width: 640, height: 480 });
  assert.deepEqual(fitted({ width: 1, height: 9000 }, 1600), { width: 1, height: 1600 });
});

test('HEIC photos are known by their first bytes', () => {
  const head = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  assert.ok(isHeic(head('\0\0\0\x18ftypheic')));
  assert.ok(isHeic(head('\n\n\0\x24ftypmif1')));
  assert.ok(!isHeic(head('\0\0\0\x18ftypisom')) && !isHeic(head('\xff\xd8\xff\xe0')) && !isHeic(head('')));
});
