// @ts-check

/**
 * What can go wrong with a photo, as the visitor understands it. Each kind has a title and an
 * advice in every language.
 *
 * @typedef {'notAPhoto' | 'heic' | 'tooLarge' | 'noFace' | 'offline' | 'noNetwork' | 'busy' | 'emptyGallery'
 *   | 'unknownPerson' | 'server'} ProblemKind
 */

/** A failure that the page has words for. */
export class Problem extends Error {
  /**
   * @param {ProblemKind} kind
   * @param {number | null} retryAfter the seconds after which the server asks to be asked again
   */
  constructor(kind, retryAfter = null) {
    super(kind);
    this.name = 'Problem';
    /** @readonly */
    this.kind = kind;
    /** @readonly */
    this.retryAfter = retryAfter;
  }
}

/** The problems that may be gone at the next try with the same photo. */
const PASSING = new Set(/** @type {ProblemKind[]} */ (['offline', 'noNetwork', 'busy', 'server']));

/** @param {ProblemKind} kind */
export function isWorthRetrying(kind) {
  return PASSING.has(kind);
}

/**
 * The problem behind an HTTP status that is not a success. The status and not the body decides,
 * because a proxy on the way may answer for the server.
 *
 * @param {number} status
 * @returns {ProblemKind}
 */
export function problemOfStatus(status) {
  switch (status) {
    case 400:
    case 415:
      return 'notAPhoto';
    case 408:
      return 'noNetwork';
    case 413:
      return 'tooLarge';
    case 422:
      return 'noFace';
    case 429:
    case 503:
      return 'busy';
    default:
      return 'server';
  }
}
