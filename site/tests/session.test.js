import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../problem.js';
import { Session } from '../session.js';

const FACES = [
  { box: [0, 0, 10, 10], score: 0.9 },
  { box: [20, 0, 10, 10], score: 0.8 },
];

/** A session whose services answer when and what the test says. */
function session() {
  const released = [];
  const preparing = new Map();
  const searches = [];
  const steps = [];
  const made = new Session(
    {
      preparePhoto: (file) => new Promise((resolve, reject) => preparing.set(file, { resolve, reject })),
      releasePhoto: (photo) => released.push(photo.name),
      findLookAlikes: (blob, face, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          searches.push({ blob, face, signal, resolve, reject });
        }),
    },
    () => steps.push(made.state.step),
  );
  return {
    made,
    released,
    searches,
    steps,
    /** Ends the preparation of a photo. */
    async prepared(name) {
      preparing.get(name).resolve({ name, blob: `blob of ${name}` });
      await settled();
    },
    async notPrepared(name, problem) {
      preparing.get(name).reject(problem);
      await settled();
    },
    /** Ends the newest search. */
    async answered(name, face = 0) {
      searches.at(-1).resolve({ faces: FACES, face, lookalikes: [{ person: { id: name, name } }] });
      await settled();
    },
    async refused(error) {
      searches.at(-1).reject(error);
      await settled();
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const bestOf = ({ made }) => made.state.lookAlikes[0]?.person.name;

test('a photo leads to its look-alikes', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  assert.equal(page.searches[0].blob, 'blob of a');
  assert.equal(page.searches[0].face, null);
  await page.answered('Ann');
  assert.deepEqual(page.steps, ['preparing', 'searching', 'found']);
  assert.equal(bestOf(page), 'Ann');
  assert.equal(page.made.state.face, 0);
});

test('a second photo aborts the first, whose answer is never shown', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  page.made.choosePhoto('b');
  assert.ok(page.searches[0].signal.aborted);
  page.searches[0].resolve({ faces: FACES, face: 0, lookalikes: [{ person: { id: 'x', name: 'Late' } }] });
  await page.prepared('b');
  await page.answered('Bea');
  assert.deepEqual(page.steps, ['preparing', 'searching', 'preparing', 'searching', 'found']);
  assert.equal(bestOf(page), 'Bea');
  assert.deepEqual(page.released, ['a']);
});

test('photos that are prepared out of order do not overtake each other', async () => {
  const page = session();
  page.made.choosePhoto('a');
  page.made.choosePhoto('b');
  await page.prepared('b');
  await page.prepared('a');
  assert.equal(page.made.state.photo.name, 'b');
  assert.equal(page.searches.length, 1);
  assert.deepEqual(page.released, ['a']);
});

test('an answer that comes although it was cancelled changes nothing', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  const [search] = page.searches;
  page.made.cancel();
  search.resolve({ faces: FACES, face: 0, lookalikes: [{ person: { id: 'x', name: 'Late' } }] });
  await settled();
  assert.equal(page.made.state.step, 'start');
  assert.deepEqual(page.released, ['a']);
});

test('another face is searched in the same photo; cancelling goes back to the face before', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  await page.answered('Ann');
  page.made.chooseFace(1);
  assert.equal(page.searches[1].face, 1);
  assert.equal(page.made.state.faces, FACES, 'the marks stay while another face is searched');
  page.made.cancel();
  await settled();
  assert.equal(page.made.state.step, 'found');
  assert.equal(page.made.state.face, 0);
  assert.equal(bestOf(page), 'Ann');
  page.made.chooseFace(1);
  await page.answered('Bea', 1);
  assert.equal(page.made.state.face, 1);
  assert.equal(bestOf(page), 'Bea');
  assert.deepEqual(page.released, []);
});

test('a problem keeps the photo, and trying again sends it again', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  await page.refused(new Problem('busy'));
  assert.equal(page.made.state.problem, 'busy');
  page.made.retry();
  assert.equal(page.made.state.problem, null);
  await page.answered('Ann');
  assert.equal(bestOf(page), 'Ann');
});

test('a file that is no photo is a problem, and the next photo works', async () => {
  const page = session();
  page.made.choosePhoto('notes');
  await page.notPrepared('notes', new Problem('notAPhoto'));
  assert.equal(page.made.state.problem, 'notAPhoto');
  page.made.retry();
  assert.equal(page.made.state.step, 'failed', 'there is no photo to send again');
  page.made.choosePhoto('a');
  await page.prepared('a');
  await page.answered('Ann');
  assert.equal(page.made.state.problem, null);
  assert.equal(bestOf(page), 'Ann');
});

test('a busy server is asked again by itself when it said, a few times, and not after another photo', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  for (const tries of [1, 2, 3]) {
    await page.refused(new Problem('busy', 4));
    assert.equal(page.made.state.retryIn, 4);
    t.mock.timers.tick(3999);
    assert.equal(page.searches.length, tries);
    t.mock.timers.tick(1);
    assert.equal(page.searches.length, tries + 1);
  }
  await page.refused(new Problem('busy', 4));
  assert.equal(page.made.state.retryIn, null, 'now the visitor decides');

  page.made.choosePhoto('b');
  await page.prepared('b');
  await page.refused(new Problem('busy'));
  assert.equal(page.made.state.retryIn, 2);
  page.made.choosePhoto('c');
  await page.prepared('c');
  const before = page.searches.length;
  t.mock.timers.tick(60_000);
  assert.equal(page.searches.length, before);
});

test('a search that takes long says so until it ends', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  t.mock.timers.tick(5000);
  assert.equal(page.made.state.slow, false);
  t.mock.timers.tick(1000);
  assert.equal(page.made.state.slow, true);
  await page.answered('Ann');
  assert.equal(page.made.state.slow, false);
  page.made.chooseFace(1);
  page.made.cancel();
  t.mock.timers.tick(60_000);
  assert.equal(page.made.state.slow, false);
});

test('another look-alike is shown in large, and cancelling comes back to it', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  await page.answered('Ann');
  page.made.show(3);
  page.made.chooseFace(1);
  assert.equal(page.made.state.shown, 0);
  page.made.cancel();
  assert.equal(page.made.state.shown, 3);
});

test('an answer without look-alikes means that the gallery is empty', async () => {
  const page = session();
  page.made.choosePhoto('a');
  await page.prepared('a');
  page.searches[0].resolve({ faces: FACES, face: 0, lookalikes: [] });
  await settled();
  assert.equal(page.made.state.problem, 'emptyGallery');
});
