"""Passwords that are tried first. What has fewer than eight characters is refused anyway."""

from __future__ import annotations

BEGINNINGS = frozenset(
    """
    abc abcabc abcd abcdef access account admin administrator adobe alexander alexandra amanda
    andrea andrew angel angels anthony apple arsenal asdf asdfgh asdfghjkl ashley august austin
    azerty babygirl bailey banana baseball basketball batman beautiful berlin bitcoin blink
    brandon buster butterfly captain caroline change changeit changeme charlie cheese chelsea
    chocolate chris christian christina christmas computer cookie corvette cowboy daniel
    danielle december default demo diamond dolphin donald dragon eagles elephant elizabeth enter
    everton facebook family february fender ferrari fishing flower football forever freedom
    friday friend friends fuckyou gateway geheim gemini george ginger google guest guitar hallo
    hannah harley heather hello hellohello helloworld hockey hotmail hunter ich iloveu iloveyou
    inter internet isabella jackson january jasmine jasper jennifer jessica jonathan jordan
    joseph joshua july june justin juventus kennwort killer lakers letmein linkedin liverpool
    login london lovely loveme lovers madrid maggie manager march marina marlboro martin master
    matrix matthew maverick melissa mercedes merlin michael michelle microsoft midnight
    minecraft monday monkey monkeys monster morgan motdepasse mustang mypass mypassword naruto
    natalie network nicole nintendo nothing november october oracle orange pa pass passe passer
    passw passwd password passwordpassword passwords passwort peanut pepper phoenix pictures
    platinum playboy please pokemon portugal postgres prince princess private qazwsx qazwsxedc
    qwe qweasd qweasdzxc qwer qwerty qwertyqwerty qwertyu qwertyui qwertyuiop qwertz rainbow
    ranger realmadrid rebecca root samantha samsung saturday schatz scooter scout secret secure
    security september server service shadow silver skywalker slipknot snoopy soccer spiderman
    spring starwars steelers summer sunday sunflower sunshine super superman supersecret
    superstar support swordfish sysadmin system taylor temp temporary tennis test tester testing
    testpass testtest thomas thunder thursday tigger tinkerbell trustno trustnoone tuesday
    twitter user username vanessa victoria virginia warcraft wednesday welcome welcomehome
    whatever william winter wonderful wordpress yankees yellow zaq zxcv zxcvb zxcvbn zxcvbnm
    """.split()
)
"""Each of them alone, twice, or with digits and signs behind it, is refused; `@` and `4` count as
`a`, `3` as `e`, `0` as `o`, `1` and `!` as `i`, `$` and `5` as `s`, `7` as `t`."""

WHOLE = frozenset(
    """
    00000000 01012011 0123456789 1029384756 11112222 11223344 1122334455 112233445566 12121212
    12131415 12301230 12312312 123123123 123123123123 1231231234 123321123 12341234 123412345
    1234512345 123454321 123456123 123456123456 123456654321 1234567890 12345678910 123456789a
    123456789q 12345678a 12345678q 1234567a 1234567q 12345abc 12345qwert 1234abcd 1234qwer
    123abc123 123qwe123 123qweasd 123qweasdzxc 12qwaszx 13131313 13579135 13579246 147258369
    147852369 14789632 159357159 159753159 159753456 1a2b3c4d 1a2s3d4f 1q2w3e4r 1q2w3e4r5t
    1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20202020 21212121 22334455 23232323 24682468
    25252525 31415926 314159265 33334444 36925814 369258147 456456456 45678910 55667788 74108520
    741852963 753159456 78945612 789456123 7894561230 789789789 852456852 87654321 963852741
    987456321 98765432 987654321 9876543210 99887766 a12345678 a123456789 a1b2c3d4 a1b2c3d4e5
    a1s2d3f4 aa123456 aa12345678 abc12345 abc123456 abcd1234 abcd12345 abcdefg1 asd123456
    asdasdasd asdf1234 asdf;lkj asdfasdf ashley123 correcthorse correcthorsebatterystaple
    dragonball football1 google123 iloveyou1 jordan23 letmein1 love1234 michael1 mynoob12
    nokia5800 nokia6300 p455w0rd p@55w0rd pa55w0rd pa55word password1 princess1 q123456789
    q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsx123 qqww1122 qwaszx12 qwe12345 qwe123qwe qweqweqwe
    qwer1234 qwerty12 qwerty123 r2d2c3po star1234 sunshine1 superman1 test1234 trustno1 wasd1234
    x35v8l88 xxxxxxxx z1x2c3v4 zaq12wsx zaq1zaq1 zxc123456 zxcasdqwe zxcvbnm1
    """.split()
)
"""Refused as they are."""
