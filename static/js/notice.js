/* 订阅通知 (N17): asks by WeChat's own element, and only once WeChat has accepted our signature. Where there is no
   WeChat, or it refuses, the card stays hidden and the notice goes by SMS. What the element reports goes to our server
   as a hint; grants are counted by WeChat's own event. ES2017. */
(function () {
  'use strict';
  var TAG = 'wx-open-subscribe';

  function told(card, template, outcome) {
    var form = card.querySelector('form');
    form.elements.template.value = template;
    form.elements.outcome.value = outcome;
    fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), keepalive: true }).catch(function () {});
  }
  /* The element says what became of each template: {"<id>": "accept"} or {"<id>": "{\"status\": \"accept\"}"}. */
  function outcome(details, template) {
    try {
      var one = (typeof details === 'string' ? JSON.parse(details) : details)[template];
      if (typeof one === 'string' && one.charAt(0) === '{') one = JSON.parse(one);
      return (one && one.status) || one || 'cancel';
    } catch (error) {
      return 'error';
    }
  }
  /* WeChat draws the inside of its element apart from our page: it takes our measures and colours with it. */
  function look() {
    var page = getComputedStyle(document.body), rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    function named(name) { return page.getPropertyValue(name).trim(); }
    return 'button{display:block;width:100%;min-height:' + Math.max(3.125 * rem, parseFloat(named('--touch'))) + 'px;margin:0;padding:' + rem / 2 + 'px;border:0;border-radius:10px;' +
      'background:' + named('--brand-soft') + ';color:' + named('--brand-ink') + ';font:' + 1.0625 * rem + 'px/1.4 ' + page.fontFamily.replace(/"/g, "'") + ';text-wrap:balance}';
  }
  function inner(slot, markup) {
    var script = document.createElement('script');
    script.type = 'text/wxtag-template';
    if (slot) script.setAttribute('slot', slot);
    script.text = markup;
    return script;
  }
  function draw(card) {
    var before = card.querySelector(TAG), element = document.createElement(TAG), button = document.createElement('button');
    if (before) before.remove();
    button.textContent = card.dataset.button;
    element.setAttribute('template', card.dataset.template);
    element.append(inner('style', '<style>' + look() + '</style>'), inner('', button.outerHTML));
    element.addEventListener('success', function (event) { heard(card, event.detail.subscribeDetails); });
    element.addEventListener('error', function () { heard(card, null); });
    card.prepend(element);
  }
  function heard(card, details) {
    var all = card.dataset.template.split(',').map(function (template) {
      var found = details === null ? 'error' : outcome(details, template);
      told(card, template, found);
      return found;
    });
    if (all.indexOf('accept') < 0) { card.remove(); return; }
    card.querySelector(TAG).remove();
    card.querySelector('.note').textContent = card.dataset.thanks;
    card.dataset.done = '1';
  }
  /* The words belong to a moment: when the case moves on, the question is over. */
  function still(card) {
    var status = document.getElementById('status');
    return card.isConnected && !!status && status.dataset.moment === card.dataset.moment;
  }
  function ask(card) {
    var refused = false, given = card.dataset;
    if (!window.wx) return;
    wx.config({ appId: given.appId, timestamp: given.timestamp, nonceStr: given.nonce, signature: given.signature, jsApiList: ['checkJsApi'], openTagList: [TAG] });
    wx.error(function () { refused = true; told(card, given.template, 'unsigned'); });
    wx.ready(function () {  /* comes after a refusal too */
      if (refused || !still(card)) return;
      var status = document.getElementById('status'), first = status.querySelector('.card');
      if (first && !status.hasAttribute('hx-get')) first.after(card);  /* while it is asked again, beside what is swapped */
      draw(card);
      card.hidden = false;
    });
  }

  document.addEventListener('htmx:load', function (event) {
    var card = document.getElementById('notice');
    if (!card) return;
    if (event.detail.elt === card) ask(card);
    else if (!still(card) && !card.dataset.done) card.remove();
  });
  document.addEventListener('submit', function (event) {
    var card = document.getElementById('notice');
    if (event.target.matches('.display') && card && card.querySelector(TAG)) setTimeout(draw, 0, card);
  });
  document.addEventListener('WeixinOpenTagsError', function () {
    var card = document.getElementById('notice');
    if (card && !card.dataset.done) { told(card, card.dataset.template, 'error'); card.remove(); }
  });
})();
