({
  // What tests ask of a page, from inside it. Evaluated by Playwright, past the page's own policy.

  step: () => {
    const has = (selector) => document.querySelector(selector) !== null;
    const form = document.querySelector('main form[action*="/s/"]');
    if (has('#completion-code')) return 'done';
    if (has('#trial')) return 'trials';
    if (has('#equipment')) return 'equipment';
    if (has('#practice')) return has('#answers') ? 'practice' : 'practice told';
    const step = form ? form.getAttribute('action').split('/').at(-2) : 'nowhere';
    return step === 'practice' ? 'practice over' : step;
  },

  ownRules: ({ touch }) => {
    const troubles = [];
    const all = (selector) => [...document.querySelectorAll(selector)];
    const shown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
    const told = (element) => element.outerHTML.replace(/\s+/g, ' ').slice(0, 120);
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) troubles.push('scrolls sideways');
    if (all('h1').filter(shown).length !== 1) troubles.push(`${all('h1').filter(shown).length} headings of the first level`);
    if (!document.title.trim()) troubles.push('no title');
    for (const group of all('fieldset').filter(shown)) {
      const legend = group.querySelector(':scope > legend');
      if (!legend || !legend.textContent.trim()) troubles.push(`a group without a legend: ${told(group)}`);
    }
    for (const field of all('input:not([type=hidden]), select, textarea').filter(shown)) {
      const name = field.getAttribute('aria-label') ?? [...(field.labels ?? [])].map((one) => one.textContent).join('');
      if (!name.trim()) troubles.push(`a field without a name: ${told(field)}`);
      if (field.placeholder && !name.trim()) troubles.push(`a placeholder for a name: ${told(field)}`);
    }
    for (const button of all('button, [role=button], summary, a[href]').filter(shown)) {
      if (!(button.getAttribute('aria-label') ?? button.textContent).trim()) troubles.push(`no name: ${told(button)}`);
    }
    for (const element of all('[tabindex]')) if (element.tabIndex > 0) troubles.push(`forced order: ${told(element)}`);
    for (const element of all('[aria-describedby], [aria-labelledby]')) {
      for (const kind of ['aria-describedby', 'aria-labelledby'])
        for (const id of (element.getAttribute(kind) ?? '').split(' ').filter(Boolean))
          if (!document.getElementById(id)) troubles.push(`${kind} leads nowhere: ${told(element)}`);
    }
    for (const error of all('.error').filter(shown)) {
      if (!error.closest('fieldset, .field')) troubles.push(`an error that belongs nowhere: ${told(error)}`);
    }
    for (const id of new Set(all('[id]').map((one) => one.id)))
      if (document.querySelectorAll(`#${CSS.escape(id)}`).length > 1) troubles.push(`twice: #${id}`);
    if (touch) {
      for (const target of all('button, summary, select, textarea, input:not([type=hidden]), a.button, label').filter(shown)) {
        if (target.matches('input[type=radio], input[type=checkbox]') && target.labels.length) continue; // its label is tapped
        if (target.matches('label') && !target.querySelector('input')) continue; // only says what the field is
        const { width, height } = target.getBoundingClientRect();
        if (Math.min(width, height) < 43.5) troubles.push(`${width.toFixed()} x ${height.toFixed()} px: ${told(target)}`);
      }
    }
    return troubles;
  },

  focused: () => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const path = [];
    for (let at = element; at.parentElement; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    const { top, left, bottom } = element.getBoundingClientRect();
    const face = element.matches('input[type=radio], input[type=checkbox]') ? (element.nextElementSibling ?? element) : element;
    const ring = [face, element].some((one) => getComputedStyle(one).outlineStyle !== 'none');
    return { path: path.join('.'), top: top + scrollY, bottom: bottom + scrollY, left, ring, html: element.outerHTML.slice(0, 100) };
  },

  cutOff: () => [...document.querySelectorAll('main *')]
    .filter((one) => one.getClientRects().length && !one.closest('.visually-hidden, .table-scroll, svg'))
    .filter((one) => { const { left, right } = one.getBoundingClientRect(); return left < -0.5 || right > innerWidth + 0.5; })
    .map((one) => one.outerHTML.slice(0, 120)),

  moving: () => [...document.querySelectorAll('*')].filter((one) => {
    const style = getComputedStyle(one);
    const lasts = (list) => list.split(',').some((time) => parseFloat(time) > 0);
    return lasts(style.transitionDuration) || (style.animationName !== 'none' && lasts(style.animationDuration));
  }).map((one) => one.outerHTML.slice(0, 120)),

  stuckLeft: () => [...document.querySelectorAll('main *')].filter((one) => {
    const style = getComputedStyle(one);
    return one.getClientRects().length && style.direction === 'rtl' && ['left', '-webkit-left'].includes(style.textAlign);
  }).map((one) => one.outerHTML.slice(0, 120)),
})
