// @ts-check

/** @type {import('./en.js').Messages} */
const messages = {
  'page.title': 'На кого из знаменитостей вы похожи?',
  'page.brand': 'Двойники',
  'page.language': 'Язык',

  'start.title': 'На кого из знаменитостей вы похожи?',
  'start.lead': 'Выберите фото с лицом и узнайте, на кого из известных людей оно похоже.',
  'start.choose': 'Выбрать фото',
  'start.otherWays': 'или перетащите его сюда, или вставьте из буфера',

  'photo.alt': 'Ваше фото',
  'photo.cropAlt': 'Лицо на вашем фото',
  'photo.mark': 'Найденное лицо',
  'photo.face': 'Лицо {number}',
  'photo.severalFaces': 'На фото несколько лиц. Выберите одно.',
  'photo.another': 'Другое фото',
  'photo.cancel': 'Отменить',

  'search.preparing': 'Готовим фото…',
  'search.searching': 'Ищем, на кого вы похожи…',

  'found.title': 'На кого вы похожи',
  'found.best': 'Больше всего похожи',
  'found.portraitAlt': 'Портрет: {name}',
  'found.similarity': 'Сходство:',
  'found.announcement': 'Больше всего вы похожи на этого человека: {name}, {percent}.',
  'found.note':
    'Процент показывает, насколько похожими считает два лица нейросеть. Это игра: она ничего не говорит о том, кто есть кто.',

  'problem.retry': 'Повторить',
  'problem.notAPhoto.title': 'Не удалось прочитать этот файл как фото.',
  'problem.notAPhoto.advice': 'Выберите картинку в формате JPEG, PNG или WebP.',
  'problem.tooLarge.title': 'Это фото слишком большое.',
  'problem.tooLarge.advice': 'Выберите фото поменьше или сначала сохраните его как JPEG.',
  'problem.noFace.title': 'На этом фото не нашлось лица.',
  'problem.noFace.advice': 'Выберите фото, где лицо крупное, хорошо освещено и повёрнуто к камере.',
  'problem.noNetwork.title': 'Нет связи с сервером.',
  'problem.noNetwork.advice': 'Проверьте подключение к интернету и повторите.',
  'problem.busy.title': 'Сервер сейчас занят.',
  'problem.busy.advice': 'Подождите несколько секунд и повторите.',
  'problem.emptyGallery.title': 'В галерее пока нет знаменитостей.',
  'problem.emptyGallery.advice': 'Загляните, когда в неё добавят портреты.',
  'problem.server.title': 'На сервере что-то пошло не так.',
  'problem.server.advice': 'Повторите. Если не поможет, загляните позже.',

  'footer.privacy':
    'Фото уменьшается в вашем браузере и отправляется на этот сервер только для сравнения. Оно не сохраняется и не попадает в журналы.',
};

export default messages;
