// Without cookies nobody's place can be kept: say so before anything is asked.
"use strict";
document.querySelector("#no-cookies").hidden = navigator.cookieEnabled;
