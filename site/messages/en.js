// @ts-check

/** @typedef {Record<keyof typeof messages, string>} Messages what every language must have */

const messages = {
  'page.title': 'Which celebrity do you look like?',
  'page.brand': 'Look-alikes',
  'page.language': 'Language',

  'start.title': 'Which celebrity do you look like?',
  'start.lead': 'Choose a photo with a face and see which famous people it resembles.',
  'start.choose': 'Choose a photo',
  'start.otherWays': 'or drop it here, or paste it',

  'photo.alt': 'Your photo',
  'photo.cropAlt': 'The face in your photo',
  'photo.mark': 'The face that was found',
  'photo.face': 'Face {number}',
  'photo.severalFaces': 'Several faces were found. Choose one.',
  'photo.another': 'Another photo',
  'photo.cancel': 'Cancel',

  'search.preparing': 'Preparing the photo…',
  'search.searching': 'Looking for your look-alikes…',

  'found.title': 'Your look-alikes',
  'found.best': 'Best match',
  'found.portraitAlt': 'Portrait of {name}',
  'found.similarity': 'Similarity:',
  'found.announcement': 'Best match: {name}, {percent}.',
  'found.note':
    'The percentage tells how alike a neural network finds two faces. It is a game: it says nothing about who somebody is.',

  'problem.retry': 'Try again',
  'problem.notAPhoto.title': 'This file could not be read as a photo.',
  'problem.notAPhoto.advice': 'Choose a JPEG, PNG or WebP picture.',
  'problem.tooLarge.title': 'This photo is too large.',
  'problem.tooLarge.advice': 'Choose a smaller one, or save it as a JPEG first.',
  'problem.noFace.title': 'No face was found in this photo.',
  'problem.noFace.advice': 'Choose one where the face is large, well lit and turned to the camera.',
  'problem.noNetwork.title': 'The server cannot be reached.',
  'problem.noNetwork.advice': 'Check your internet connection and try again.',
  'problem.busy.title': 'The server is busy right now.',
  'problem.busy.advice': 'Wait a few seconds and try again.',
  'problem.emptyGallery.title': 'There are no celebrities in the gallery yet.',
  'problem.emptyGallery.advice': 'Come back when portraits have been added.',
  'problem.server.title': 'Something went wrong on the server.',
  'problem.server.advice': 'Try again. If it happens again, come back later.',

  'footer.privacy':
    'Your photo is scaled down in your browser and sent to this server only to be compared. It is not stored and not logged.',
};

export default messages;
