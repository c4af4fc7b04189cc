/* What a phone with JavaScript gets on top: pictures made small before they travel, progress, retry, a frame
   for the camera, forms that survive a dead spot. Without it every page still works by plain forms. ES2017. */
(function () {
  'use strict';
  var LONG_SIDE = 1600, MAX_BYTES = 350 * 1024, TRIES = 4;
  var root = document.documentElement;
  root.classList.add('js');

  function all(selector, within) { return Array.from((within || document).querySelectorAll(selector)); }
  function pause(ms) { return new Promise(function (done) { setTimeout(done, ms); }); }
  function online() {
    if (navigator.onLine) return Promise.resolve();
    return new Promise(function (done) { addEventListener('online', done, { once: true }); });
  }

  /* An answer to a form stands at the page of the form: back or reload must not ask to send the form again. */
  var standsAt = document.body.dataset.standsAt;
  if (standsAt === '' && document.referrer.indexOf(location.origin + '/') === 0) standsAt = document.referrer;
  if (standsAt) history.replaceState(null, '', standsAt);

  /* the bar that says what is kept */
  var bar = document.getElementById('offline');
  function tell(words) { bar.textContent = words; bar.hidden = !words; }
  addEventListener('offline', function () { tell('没有网络了。您填的内容都在，别关这一页，连上网接着办。'); });
  addEventListener('online', function () { tell(''); });
  if (!navigator.onLine) dispatchEvent(new Event('offline'));

  /* photographs: 1600 px, at most 350 kB, then sent with progress and retries */
  function drawn(source, width, height, less) {
    var scale = Math.min(1, LONG_SIDE / Math.max(width, height)) * (less || 1);
    var canvas = document.createElement('canvas');
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext('2d').drawImage(source, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
  function jpeg(canvas, quality) {
    return new Promise(function (done) { canvas.toBlob(done, 'image/jpeg', quality); });
  }
  async function light(canvas) {
    for (;;) {
      for (var quality = 0.86; quality > 0.4; quality -= 0.12) {
        var blob = await jpeg(canvas, quality);
        if (!blob || blob.size <= MAX_BYTES) return blob;
      }
      canvas = drawn(canvas, canvas.width, canvas.height, 0.8);
    }
  }
  function loaded(file) {
    return new Promise(function (done, fail) {
      var image = new Image(), address = URL.createObjectURL(file);
      image.onload = function () { URL.revokeObjectURL(address); done(image); };
      image.onerror = function () { URL.revokeObjectURL(address); fail(new Error('not an image')); };
      image.src = address;
    });
  }
  async function shrunk(file) {
    try {
      var image = await loaded(file);
      var blob = await light(drawn(image, image.naturalWidth, image.naturalHeight));
      if (blob) return blob;
    } catch (error) { /* perhaps too many pixels to open whole: decoded small, below */ }
    try {
      var small = await createImageBitmap(file, { resizeWidth: LONG_SIDE, resizeQuality: 'high' });
      return await light(drawn(small, small.width, small.height)) || file;
    } catch (error) {
      return file;  /* the server says what is wrong with it */
    }
  }
  function send(form, blob, progress) {
    return new Promise(function (done, fail) {
      var body = new FormData(), request = new XMLHttpRequest();
      all('input[type=hidden]', form).forEach(function (input) { body.append(input.name, input.value); });
      body.append('image', blob, 'photo.jpg');
      request.open('POST', form.action);
      request.timeout = 60000;
      request.setRequestHeader('HX-Request', 'true');
      request.upload.onprogress = function (event) {
        if (event.lengthComputable) progress(event.loaded / event.total * 100);
      };
      request.onload = function () { done(request); };
      request.onerror = request.ontimeout = function () { fail(new Error('network')); };
      request.send(body);
    });
  }
  /* A form that stays open after an answer (a part was swapped, a photograph is taken again) asks for something new
     next time: a key of its own. While no answer came the key stays, so that nothing is done twice. */
  function renew(form) {
    var words = new Uint32Array(4);
    crypto.getRandomValues(words);
    all('input[name=form_key]', form).forEach(function (input) { input.value = Array.from(words, function (w) { return w.toString(16).padStart(8, '0'); }).join('-'); });
  }
  document.addEventListener('htmx:afterRequest', function (event) {
    var form = event.detail.elt.closest('form'), config = event.detail.requestConfig;
    if (form && config && config.verb !== 'get' && event.detail.xhr.status && !stillAtWork(event.detail.xhr)) renew(form);
  });
  /* The tap before is still at work: the same one again, under the same key, gets the answer to it. */
  function stillAtWork(answer) { return answer.status === 409 ? +answer.getResponseHeader('Retry-After') : 0; }
  var again = new WeakMap();
  document.addEventListener('htmx:beforeSwap', function (event) {
    var asked = event.detail.requestConfig.elt, wait = stillAtWork(event.detail.xhr), tried = (again.get(asked) || 0) + 1;
    again.set(asked, wait ? tried : 0);
    if (!wait || tried >= TRIES) { tell(''); return; }
    event.detail.shouldSwap = false;
    tell('刚才那一次还在办，过几秒自己接着来，不用再点。');
    setTimeout(function () { if (asked.isConnected) { if (asked.requestSubmit) asked.requestSubmit(); else asked.click(); } }, wait * 1000);
  });
  async function upload(form, file) {
    if (form.dataset.sending) return;
    form.dataset.sending = '1';
    var told = form.querySelector('.told'), line = form.querySelector('progress');
    line.hidden = false; line.value = 0;
    told.textContent = '正在准备照片…';
    try {
      var blob = await shrunk(file), answer = null;
      for (var tried = 1; !answer; tried++) {
        if (!navigator.onLine) told.textContent = '照片留好了，连上网自动传';
        await online();
        told.textContent = '正在上传…';
        try {
          answer = await send(form, blob, function (percent) {
            line.value = percent;
            told.textContent = percent < 100 ? '正在上传 ' + Math.round(percent) + '%' : '正在认字…';
          });
          var wait = stillAtWork(answer);
          if (wait && tried < TRIES) { answer = null; told.textContent = '刚才那一次还在办，不用再点…'; await pause(wait * 1000); continue; }
          if (answer.status >= 502 && answer.status <= 504 && tried < TRIES) answer = null;
        } catch (error) {
          if (tried >= TRIES) throw error;
        }
        if (!answer) { told.textContent = '网络不太稳，照片留着，马上再传…'; await pause(600 * Math.pow(2, tried)); }
      }
      finish(form, answer);
    } catch (error) {
      told.textContent = '照片没传上去。找个信号好的地方，再点一下相片框。';
    } finally {
      delete form.dataset.sending;
      line.hidden = true;
    }
  }
  function finish(form, answer) {
    renew(form);
    var next = answer.getResponseHeader('HX-Redirect');
    if (next) { location.assign(next); return; }
    if (answer.status === 409) {  /* the road ends or turns here: a whole page of words */
      htmx.swap('main', answer.responseText, { swapStyle: 'innerHTML' }, { select: 'main > *' });
      return;
    }
    if (answer.status < 300 || answer.status === 422 || answer.status === 429) {
      htmx.swap(form.dataset.upload, answer.responseText, { swapStyle: 'outerHTML' });
      return;
    }
    form.querySelector('.told').textContent = '这张没收好，请再拍一次。';
  }

  /* the camera with a frame; the plain file input stays as the way out */
  function mayFrame() { return !!(window.isSecureContext && navigator.mediaDevices && navigator.mediaDevices.getUserMedia && window.HTMLDialogElement); }
  async function frame(form) {
    var stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1920 }, height: { ideal: 1080 } } });
    } catch (error) {
      form.querySelector('.told').textContent = '相机没打开，请点上面的相片框拍，或从相册选。';
      return;
    }
    var dialog = document.createElement('dialog');
    dialog.className = 'camera';
    dialog.setAttribute('aria-label', '拍身份证');
    dialog.innerHTML = '<video autoplay playsinline muted></video><div class="frame"></div><p>把' + (form.dataset.side === 'front' ? '人像面' : '国徽面') + '放进框里</p>' +
      '<div class="bar"><button type="button" class="leave">返回</button><button type="button" class="shutter" aria-label="拍照"></button><button type="button" class="album">相册</button></div>';
    document.body.appendChild(dialog);
    var video = dialog.querySelector('video');
    video.srcObject = stream;
    function close() { stream.getTracks().forEach(function (track) { track.stop(); }); dialog.remove(); }
    dialog.addEventListener('close', close);
    dialog.querySelector('.leave').onclick = close;
    dialog.querySelector('.album').onclick = function () { close(); form.querySelector('[data-album]').click(); };
    dialog.querySelector('.shutter').onclick = async function () {
      if (!video.videoWidth) return;
      var blob = await light(drawn(video, video.videoWidth, video.videoHeight));
      close();
      upload(form, blob);
    };
    dialog.showModal();
  }

  /* a button that waits: the next SMS, the reading time of the 明示表 */
  function wait(button) {
    var label = button.textContent, until = Date.now() + button.dataset.wait * 1000;
    button.disabled = true;
    (function tick() {
      var left = Math.ceil((until - Date.now()) / 1000);
      if (left > 0 && button.isConnected) {
        button.textContent = button.dataset.waiting.replace('{n}', left);
        setTimeout(tick, 250);
      } else { button.disabled = false; button.textContent = label; }
    })();
  }

  /* drafts: choices and words of a form (never a number, code or photograph), until it is sent */
  function draft(form) {
    var key = 'draft:' + location.pathname + ':' + form.dataset.keep;
    var fields = function () { return Array.from(form.elements).filter(function (e) { return e.name && e.type !== 'hidden' && e.type !== 'tel' && e.type !== 'file'; }); };
    try {
      var kept = JSON.parse(sessionStorage.getItem(key) || '{}');
      fields().forEach(function (e) {
        if (!(e.name in kept)) return;
        if (e.type === 'radio') { e.checked = e.value === kept[e.name]; } else if (e.type !== 'checkbox') { e.value = kept[e.name]; }
      });
      form.addEventListener('change', function () {
        var now = {};
        fields().forEach(function (e) { if (e.type !== 'checkbox' && (e.type !== 'radio' || e.checked)) now[e.name] = e.value; });
        sessionStorage.setItem(key, JSON.stringify(now));
      });
      form.addEventListener('submit', function () { if (navigator.onLine) sessionStorage.removeItem(key); });
    } catch (error) { /* no storage: nothing is kept, nothing breaks */ }
  }

  /* forms: one sending at a time, and none into a dead spot */
  function once(form) {
    form.addEventListener('submit', function (event) {
      if (event.defaultPrevented || (event.submitter && event.submitter.formNoValidate)) return;
      if (form.dataset.sent) { event.preventDefault(); return; }
      if (!navigator.onLine) {
        event.preventDefault();
        tell('没有网络。您填的内容都在，连上网自动交上去。');
        var submitter = event.submitter;
        online().then(function () { form.requestSubmit ? form.requestSubmit(submitter) : form.submit(); });
        return;
      }
      form.dataset.sent = '1';
      var button = event.submitter || form.querySelector('.weui-btn');
      if (button) button.classList.add('busy');
    });
  }

  /* What is missing is said under its field before anything travels. The forms carry novalidate, so that no bubble of
     the browser's comes; without this the server says the same. */
  function said(control) {
    var group = control.closest('fieldset'), label = control.labels && control.labels[0];
    if (control.dataset.missing) return control.dataset.missing;
    if (!control.validity.valueMissing) return control.dataset.wrong || '请看一下这一项填得对不对';
    if (control.type === 'checkbox') return '看过同意的话，请勾上这一项';
    if (control.type === 'radio') return '请选“' + group.querySelector('legend').textContent + '”';
    return (control.tagName === 'SELECT' ? '请选“' : '请填“') + (control.getAttribute('aria-label') || (label ? label.textContent : '这一项')) + '”';
  }
  function placeOf(control) { return control.closest('.field, .consent, .read') || control.parentNode; }
  function unsaid(place) {
    all('.error', place).forEach(function (words) { words.remove(); });
    place.classList.remove('wrong');
    all('[aria-invalid]', place).forEach(function (control) { control.removeAttribute('aria-invalid'); });
  }
  document.addEventListener('submit', function (event) {
    var form = event.target, places = [];
    if (!form.noValidate || (event.submitter && event.submitter.formNoValidate)) return;
    Array.from(form.elements).forEach(function (control) {
      if (!control.willValidate || control.type === 'file' || control.validity.valid) return;
      var place = placeOf(control), words = document.createElement('p');
      if (places.indexOf(place) >= 0) return;
      if (!places.length) setTimeout(function () { control.focus({ preventScroll: true }); place.scrollIntoView({ block: 'center' }); });
      places.push(place);
      unsaid(place);
      place.classList.add('wrong');
      if (place.tagName === 'DETAILS') place.open = true;
      control.setAttribute('aria-invalid', 'true');
      words.className = 'error';
      words.setAttribute('role', 'alert');
      words.textContent = said(control);
      place.append(words);
    });
    if (!places.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  ['input', 'change'].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var place = event.target.form && event.target.form.noValidate && placeOf(event.target);
      if (place && place.classList.contains('wrong')) unsaid(place);
    });
  });

  /* An amount of one's own stands instead of a chip, and a chip instead of it. */
  function instead(line) {
    var chips = all('input[type=radio]', line.closest('fieldset')), own = chips.find(function (chip) { return chip.value === line.dataset.instead; });
    function follow() { line.required = own.checked; if (!own.checked) line.value = ''; }
    line.addEventListener('input', function () { own.checked = true; follow(); });
    chips.forEach(function (chip) { chip.addEventListener('change', function () { follow(); if (own.checked) line.focus(); }); });
    line.required = own.checked;
  }

  function dress(within) {
    all('[data-instead]', within).forEach(instead);
    all('[data-upload]', within).forEach(function (form) {
      all('input[type=file]', form).forEach(function (input) {
        if (!('album' in input.dataset)) input.setAttribute('capture', 'environment');
        input.addEventListener('change', function () { if (input.files[0]) upload(form, input.files[0]); });
      });
      var ways = form.querySelector('.ways'), camera = form.querySelector('[data-camera]');
      ways.hidden = false;
      camera.hidden = !mayFrame();
      camera.addEventListener('click', function () { frame(form); });
    });
    all('[data-wait]', within).forEach(wait);
    all('form[data-keep]', within).forEach(draft);
    all('form[data-once]', within).forEach(once);
    all('[data-copy]', within).forEach(function (button) {
      button.hidden = false;
      button.addEventListener('click', function () {
        document.getElementById(button.dataset.copy).select();
        button.textContent = document.execCommand('copy') ? '复制好了，去微信里发给他' : '没复制成，请长按上面的字复制';
      });
    });
    all('[data-close]', within).forEach(function (link) {
      var holder = link.closest('#sheet');
      if (!holder) return;
      link.closest('.sheet').focus();
      document.body.classList.add('held');
      link.addEventListener('click', function (event) { event.preventDefault(); holder.textContent = ''; document.body.classList.remove('held'); });
    });
  }

  /* large type at once, without losing what was typed */
  document.addEventListener('submit', function (event) {
    var form = event.target;
    if (!form.matches('.display')) return;
    event.preventDefault();
    var button = form.querySelector('button'), mode = button.value;
    root.dataset.display = document.body.dataset.weuiMode = mode;
    document.cookie = 'display=' + mode + '; path=/; max-age=31536000; SameSite=Lax' + (location.protocol === 'https:' ? '; Secure' : '');
    button.value = mode === 'care' ? 'normal' : 'care';
    button.textContent = mode === 'care' ? '标准字' : '大字版';
  });
  document.addEventListener('keydown', function (event) {
    var close = event.key === 'Escape' && document.querySelector('#sheet [data-close]');
    if (close) close.click();
  });
  /* Coming back by the back button: a page kept by the browser must be usable again. */
  addEventListener('pageshow', function (event) {
    if (event.persisted) all('form').forEach(renew);
    if (event.persisted) all('form[data-sent]').forEach(function (form) { delete form.dataset.sent; all('.busy', form).forEach(function (b) { b.classList.remove('busy'); }); });
  });
  document.addEventListener('htmx:sendError', function () { tell('网络不太稳，这一步没送出去，请再点一次。'); });
  document.addEventListener('htmx:responseError', function (event) {
    tell(event.detail.xhr.status === 403 ? '这一页放得太久了，请刷新一下再办。' : '这一步没办成，请过一会儿再点一次。您填的内容都在。');
  });
  /* Polling goes on after a lost answer. */
  ['htmx:sendError', 'htmx:responseError', 'htmx:timeout'].forEach(function (name) {
    document.addEventListener(name, function (event) {
      if (event.target.id === 'status') setTimeout(function () { if (event.target.isConnected) { htmx.ajax('GET', event.target.getAttribute('hx-get'), { target: event.target, swap: 'outerHTML' }); } }, 3000);
    });
  });
  document.addEventListener('htmx:load', function (event) { if (event.detail.elt !== document.body) dress(event.detail.elt); });
  dress(document);
})();
