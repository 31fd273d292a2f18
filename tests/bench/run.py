#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import tempfile, json, time
from directory_load import Directory, people, write_list
from measure import Generator, Row
from sites import Site, mapped

n=int(sys.argv[1]) if len(sys.argv)>1 else 1000
want=sys.argv[2].split(',') if len(sys.argv)>2 else ['bare','plain','ours','mapped']
secs=float(sys.argv[3]) if len(sys.argv)>3 else 1
dur=sys.argv[4].split(',') if len(sys.argv)>4 else ['0']
with tempfile.TemporaryDirectory() as tmp:
    tmp=Path(tmp)
    m,p=people('m',n),people('p',max(n//10,200))
    lists={'m':write_list(tmp/'m',m),'p':write_list(tmp/'p',p)}
    g=Generator(tmp,lists)
    t=time.time()
    d=Directory(m+p)
    print('slapd',time.time()-t)
    od=None
    sites={}
    try:
        for durable in dur:
          d.set_durable(durable=='1')
          for w in want:
            if w=='bare':
                print(durable,w,json.dumps(g.bare(d,seconds=int(secs)))); continue
            dd=d
            if w=='otp':
                od=od or Directory(m,otp=True); od.set_durable(durable=='1'); dd=od
            if w not in sites:
                kw={}
                site=w.split(':')[0]
                if site in('ours','mapped'): kw=dict(module=True,update=mapped() if site=='mapped' else '',settings={"lockout.threshold":99}); 
                sites[w]=Site(dd,'ours' if site=='mapped' else site,**kw)
            mode='challenge'; opts=()
            users='m'
            if w=='plain': mode,users='password','p'
            if w in('otp','totp_append','pam'): mode='append'
            if w.startswith('totp'): opts=('--reuse-codes',)
            if w=='unlang': opts=('--present-code',)
            if w.endswith(':nomfa'): mode,users='password','p'
            r=Row(w,w,mode,users,opts)
            for i in range(2): res=g.login(sites[w],dd,r,seconds=int(secs))
            print(durable,w,json.dumps(res))
            if res['unexpected']>20: print(sites[w].log()[-1500:])
    finally:
        for s in sites.values(): s.close()
        d.close()
        if od: od.close()
