/* An officer's survey on a weak network: every change is kept on the server, photographs are made small before they
   travel, nothing is lost when an answer does not come. Without it the page works by plain forms. */
(function () {
  'use strict';
  var form = document.getElementById('survey'), kept = document.getElementById('kept');
  if (!form) return;
  var LONG_SIDE = 1600, TRIES = 4, timer = null, sending = false, again = false;

  function key() {
    var words = new Uint32Array(4);
    crypto.getRandomValues(words);
    return Array.from(words, function (w) { return w.toString(16).padStart(8, '0'); }).join('-');
  }
  function pause(ms) { return new Promise(function (done) { setTimeout(done, ms); }); }

  /* the draft */
  async function keep() {
    if (sending) { again = true; return; }
    sending = true;
    var body = new FormData(form);
    body.set('act', 'save');
    body.set('form_key', key());
    try {
      var answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(body), headers: { 'HX-Request': 'true' } });
      kept.textContent = answer.ok ? '填的都存下了' : '这次没有存下，点“先存下”再试一次';
    } catch (error) {
      kept.textContent = '网络断了，填的都还在这一页，别关；连上网自动存';
      again = true;
      await pause(3000);
    }
    sending = false;
    if (again) { again = false; keep(); }
  }
  function soon() { clearTimeout(timer); timer = setTimeout(keep, 700); }
  form.addEventListener('input', soon);
  form.addEventListener('change', soon);
  addEventListener('online', soon);

  /* where: only when the customer agreed and the officer taps */
  var box = form.querySelector('[data-locate]'), where = document.getElementById('location');
  if (navigator.geolocation) box.hidden = false;
  form.querySelector('[data-where]').addEventListener('click', function () {
    if (!form.elements.location_agreed.checked) { kept.textContent = '先请客户同意记录位置，打上勾'; return; }
    kept.textContent = '正在定位…';
    navigator.geolocation.getCurrentPosition(function (found) {
      var at = found.coords;
      where.value = at.latitude.toFixed(5) + ',' + at.longitude.toFixed(5) + ' ±' + Math.round(at.accuracy) + ' 米';
      soon();
    }, function () { kept.textContent = '没有定到位置，选好村就行'; }, { timeout: 15000, enableHighAccuracy: true });
  });
  form.querySelector('[data-forget]').addEventListener('click', function () { where.value = ''; soon(); });

  /* photographs */
  async function small(file) {
    try {
      var picture = await createImageBitmap(file);
      var scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
      var canvas = document.createElement('canvas');
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
      return await new Promise(function (done) { canvas.toBlob(done, 'image/jpeg', 0.8); }) || file;
    } catch (error) {
      return file;  /* the server says what is wrong with it */
    }
  }
  async function upload(event) {
    var input = event.target, shot = input.closest('[data-photograph]');
    if (!shot || !input.files.length) return;
    var told = shot.querySelector('.told'), body = new FormData(shot), answer = null;
    told.textContent = '正在准备照片…';
    body.set('image', await small(input.files[0]), 'photo.jpg');
    for (var tried = 1; !answer && tried <= TRIES; tried++) {
      told.textContent = '正在上传…';
      try {
        answer = await fetch(shot.action, { method: 'POST', body: body, headers: { 'HX-Request': 'true' } });
        if (answer.status === 503 && tried < TRIES) { answer = null; body.set('form_key', key()); }
      } catch (error) { /* the same key: what arrived is not kept twice */ }
      if (!answer) { told.textContent = '网络不太稳，照片留着，马上再传…'; await pause(700 * Math.pow(2, tried)); }
    }
    if (!answer) { told.textContent = '没有传上去，点“传这张照片”再试'; return; }
    var parsed = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('photos');
    if (parsed) document.getElementById('photos').replaceWith(parsed);
    else told.textContent = '没有传上去，刷新这一页再试';
  }
  document.addEventListener('change', upload);
})();
