/* What a page meets in WeChat's browser: its name, the bridge the JS-SDK speaks to, and the open tag
   <wx-open-subscribe>, which comes to life only for a page whose signature WeChat has checked. The real one is native
   and no script of the page; this one is the first script of every page the practice phone opens. */
(function () {
  'use strict';
  var me = document.currentScript.dataset, TAG = 'wx-open-subscribe';
  var SHEET = ':host{position:fixed;inset:0;z-index:2147483647;display:flex;align-items:flex-end;background:rgba(0,0,0,.5)}' +
    'div{width:100%;background:#fff;color:#191919;border-radius:12px 12px 0 0;padding:20px 20px 28px;font:17px/1.5 sans-serif}' +
    'b{display:block;font-size:15px;color:#5f5f5f;font-weight:400}p{margin:8px 0;font-weight:600}ul{list-style:none;margin:0;padding:10px 0;border-top:1px solid #e5e5e5}' +
    'li::before{content:"✓ ";color:#00703a}nav{display:flex;justify-content:center;gap:16px;margin-top:12px}' +
    'button{font:inherit;min-width:120px;min-height:48px;border:0;border-radius:8px;background:#f2f2f2;color:#00703a;cursor:pointer}button.yes{background:#00703a;color:#fff}' +
    'button:focus-visible{outline:3px solid #0a5fa8;outline-offset:2px}';

  Object.defineProperty(navigator, 'userAgent', { get: function () { return me.agent; } });

  function call(path, body) {
    return fetch('/phone/' + encodeURIComponent(me.openid) + '/open-tag/' + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body)
    }).then(function (reply) { return reply.json(); });
  }
  function styled(root, css) {
    var sheet = new CSSStyleSheet();  // allowed where the page's policy forbids inline style
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  }
  function made(name, text, within) {
    var one = document.createElement(name);
    one.textContent = text;
    if (within) within.append(one);
    return one;
  }

  /* The sheet with 允许 and 拒绝; a touch beside it closes it. */
  function ask(templates, done) {
    var host = document.createElement('aside'), root = host.attachShadow({ mode: 'open' }), box = made('div', '', root);
    styled(root, SHEET);
    box.setAttribute('role', 'dialog');
    box.setAttribute('aria-label', '订阅通知');
    made('b', '小贷云工作室 申请', box);
    made('p', '给您发送一次以下通知', box);
    var list = made('ul', '', box);
    templates.forEach(function (one) { made('li', one.title, list); });
    var bar = made('nav', '', box), no = made('button', '拒绝', bar), yes = made('button', '允许', bar);
    function end(outcome) { host.remove(); done(outcome); }
    yes.className = 'yes';
    no.onclick = function () { end('reject'); };
    yes.onclick = function () { end('accept'); };
    host.onclick = function (event) { if (event.composedPath()[0] === host) end('cancel'); };
    document.body.append(host);
    yes.focus();
  }

  function openTag() {
    return class extends HTMLElement {
      connectedCallback() {
        if (this.shadowRoot) return;
        var root = this.attachShadow({ mode: 'open' }), css = ':host{display:block}', self = this, busy = false;
        this.querySelectorAll('script[type="text/wxtag-template"]').forEach(function (one) {
          var parsed = new DOMParser().parseFromString(one.textContent, 'text/html');
          parsed.querySelectorAll('style').forEach(function (style) { css += style.textContent; style.remove(); });
          root.append.apply(root, Array.from(parsed.body.childNodes));
        });
        styled(root, css);
        this.addEventListener('click', function () {
          if (busy) return;
          busy = true;
          self.request().catch(function () { self.tell('error', { errMsg: 'subscribe:fail', errCode: 10002 }); })
            .then(function () { busy = false; });
        });
      }
      async request() {
        var ids = (this.getAttribute('template') || '').split(','), self = this;
        var shown = await call('templates', { template_ids: ids });
        if (shown.error) { this.tell('error', { errMsg: 'subscribe:fail', errCode: shown.error }); return; }
        var outcome = await new Promise(function (done) { ask(shown.templates, done); });
        self.tell('success', await call('answer', { template_ids: ids, outcome: outcome }));
      }
      tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail: detail })); }
    };
  }

  async function verify(given) {
    var answer = await call('verify', {
      app_id: given.verifyAppId, timestamp: given.verifyTimestamp, nonce: given.verifyNonceStr,
      signature: given.verifySignature, url: location.href, tags: given.verifyOpenTagList || []
    });
    if (answer.tags.indexOf(TAG) >= 0 && !customElements.get(TAG)) customElements.define(TAG, openTag());
    return answer.problem || 'ok';
  }

  window.WeixinJSBridge = {
    invoke: function (name, given, done) {
      function say(what) { if (done) done({ err_msg: name + ':' + what }); }
      if (name === 'preVerifyJSAPI') verify(given).then(say, function () { say('fail_system error'); });
      else if (name === 'getNetworkType') setTimeout(done, 0, { err_msg: 'network_type:wifi' });
      else setTimeout(say, 0, 'function_not_exist');
    },
    on: function () {}
  };
})();
