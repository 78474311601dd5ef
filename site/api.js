// @ts-check
import { API, LOOKALIKES } from './config.js';
import { contentHash } from './digest.js';
import { Problem, problemOfStatus } from './problem.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {[left: Point, right: Point]} Eyes as seen in the picture, in its pixels
 *
 * A face that the server found.
 *
 * @typedef {object} Face
 * @property {[x: number, y: number, width: number, height: number]} box in pixels of the sent photo
 * @property {number} score the detector's confidence, 0 to 1
 * @property {Eyes} [eyes]
 * @property {'too_small' | 'blurred' | 'turned'} [flaw_kind] why little can be told from it
 *
 * @typedef {{id: string, name: string}} Person
 *
 * A person of the gallery who resembles the face.
 *
 * @typedef {object} LookAlike
 * @property {Person} person
 * @property {number} similarity 0 to 1
 * @property {string} portrait the portrait's address, relative to the API
 * @property {Eyes} [portrait_eyes]
 *
 * @typedef {object} Answer
 * @property {Face[]} faces all faces in the photo
 * @property {number} face the index of the face that was compared
 * @property {LookAlike[]} lookalikes distinct people, best first
 *
 * @typedef {object} Profile
 * @property {Person} person
 * @property {{portrait: string, eyes?: Eyes, details?: Record<string, string>}[]} portraits
 * @property {LookAlike[]} lookalikes other people
 */

/**
 * Asks the server whom a face in the photo looks like.
 *
 * @param {Blob} photo
 * @param {number | null} face the index of the face; `null` leaves the choice to the server
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 * @throws {Problem} when there is no answer, and whatever `signal` was aborted with
 */
export async function findLookAlikes(photo, face, signal) {
  const address = new URL('api/lookalikes', API);
  address.searchParams.set('k', String(LOOKALIKES));
  if (face !== null) {
    address.searchParams.set('face', String(face));
  }
  // Only where the page comes from, too, may CloudFront be; other servers would have to allow the header.
  const hash = address.origin === location.origin ? await contentHash(photo) : {};
  const headers = { 'content-type': photo.type, ...hash };
  const answer = await json(fetch(address, { method: 'POST', body: photo, headers, signal }), signal);
  if (Array.isArray(answer?.faces) && Array.isArray(answer.lookalikes)) {
    return answer;
  }
  throw new Problem('server');
}

/**
 * All that the gallery says of a person.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Profile>}
 * @throws {Problem} when there is no answer, and whatever `signal` was aborted with
 */
export async function findPerson(id, signal) {
  const request = fetch(new URL(`api/people/${encodeURIComponent(id)}`, API), { signal });
  const answer = await json(request, signal, { 404: 'unknownPerson' });
  if (Array.isArray(answer?.portraits) && Array.isArray(answer.lookalikes)) {
    return answer;
  }
  throw new Problem('server');
}

/** Whether this server can blend two faces; asked once. */
const canBlend = once(async () => {
  const description = await (await fetch(new URL('openapi.json', API))).json();
  return Boolean(description.paths?.['/api/blend']?.post);
});

/**
 * A picture of the face between the photo's and the person's.
 *
 * @param {Blob} photo
 * @param {string} person
 * @param {AbortSignal} signal
 * @returns {Promise<Blob | null>} `null` where the server makes none: it is a bonus, nobody misses it
 */
export async function blend(photo, person, signal) {
  try {
    if (!(await canBlend()) || signal.aborted) {
      return null;
    }
    const body = new FormData();
    body.append('photo', photo);
    body.append('person', person);
    const response = await fetch(new URL('api/blend', API), { method: 'POST', body, signal });
    return response.ok ? await response.blob() : null;
  } catch {
    return null;
  }
}

/** @param {string} path as the API names pictures */
export function pictureAddress(path) {
  return new URL(path, API).href;
}

/** How pictures from another host must be fetched so that they may be drawn on a canvas. */
export const crossOrigin = API.origin === location.origin ? null : 'anonymous';

/**
 * The JSON that a request is answered with.
 *
 * `fetch` and the body fail with the same error whether the server is down or the device is
 * offline; the browser knows which.
 *
 * @param {Promise<Response>} request
 * @param {AbortSignal} signal
 * @param {Record<number, import('./problem.js').ProblemKind>} problems what a status means here beyond the usual
 * @returns {Promise<any>}
 */
async function json(request, signal, problems = {}) {
  let response, text;
  try {
    response = await request;
    text = await response.text();
  } catch {
    signal.throwIfAborted();
    throw new Problem(navigator.onLine ? 'noNetwork' : 'offline');
  }
  if (!response.ok) {
    const wait = Number(response.headers.get('retry-after'));
    throw new Problem(problems[response.status] ?? problemOfStatus(response.status), wait > 0 ? wait : null);
  }
  try {
    return JSON.parse(text);
  } catch {
    // For example a proxy's own page.
    throw new Problem('server');
  }
}

/**
 * @template T
 * @param {() => Promise<T>} ask
 */
function once(ask) {
  /** @type {Promise<T> | undefined} */
  let answer;
  return () => (answer ??= ask());
}
