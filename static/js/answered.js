/* An answer to a form stands at the page of the form: back or reload must not ask to send the form again. The fields
   that wait for a new sign-in stand nowhere else, and stay where they are. */
(function () {
  'use strict';
  var from = document.referrer;
  if (from.indexOf(location.origin + '/') === 0 && !document.querySelector('[data-written]')) history.replaceState(null, '', from);
})();
