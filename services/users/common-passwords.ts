/**
 * The passwords of eight or more characters that are tried first everywhere. Shorter ones are
 * refused by their length.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
  12345678 123456789 1234567890 12345678910 123123123 11111111 111111111 1111111111 00000000
  000000000 88888888 87654321 987654321 9876543210 0123456789 01234567 11223344 1122334455
  12341234 123454321 1234567a 12345678a a12345678 123456789a a123456789 a1234567 1q2w3e4r
  1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 q1w2e3r4 q1w2e3r4t5 qwertyui qwertyuiop
  qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwe123qwe qweasdzxc
  qweasd123 asdfghjk asdfghjkl asdfasdf asdf1234 zxcvbnm1 zxcvbnm123 zxcvbnmm zaq12wsx zaq1zaq1
  !qaz2wsx 1234qwer qwer1234 abcd1234 abc12345 abc123456 abcdefgh abcdefg1 abcdefghi aa123456
  aa12345678 a1b2c3d4 password password1 password12 password123 password1234 password12345
  password1! password! passw0rd passw0rd1 p@ssword p@ssw0rd p@ssw0rd1 p@55w0rd pa$$word pa$$w0rd
  passpass pass1234 pass12345 mypassword yourpassword thepassword newpassword oldpassword
  nopassword changeme changeme1 changeme123 changethis letmein1 letmein123 letmeinn welcome1
  welcome12 welcome123 welcome1234 welcome! iloveyou iloveyou1 iloveyou2 iloveyou! ilovegod
  iloveu123 loveyou1 lovelove sunshine sunshine1 princess princess1 football football1 baseball
  baseball1 basketball superman superman1 batman123 spiderman starwars starwars1 trustno1
  michelle michael1 jennifer jessica1 jordan23 charlie1 danielle elizabeth alexander christian
  christopher benjamin jonathan nicholas samantha victoria veronica whatever whatever1 computer
  computer1 internet internet1 samsung1 samsung123 microsoft administrator admin123 admin1234
  admin12345 adminadmin admin@123 administrator1 root1234 rootroot toor1234 user1234 useruser
  test1234 testtest test12345 testing1 testing123 guest123 guestguest demo1234 default1 default123
  master123 masterkey secret123 secretsecret topsecret dragon123 dragon12 monkey123 monkey12
  shadow123 shadow12 hunter12 killer123 freedom1 liverpool liverpool1 chelsea1 arsenal1 arsenal123
  manchester barcelona realmadrid juventus steelers patriots yankees1 dolphins mustang1 corvette
  mercedes porsche1 maverick scorpion blink182 metallica metallica1 slipknot nirvana1 eminem123
  pokemon1 pokemon123 naruto123 minecraft minecraft1 fortnite fortnite1 matrix123 midnight
  butterfly chocolate chocolate1 strawberry sweetheart beautiful beautiful1 precious1 angel123
  babygirl babygirl1 babyboy1 lollipop snowball rainbow1 sunflower marlboro startrek jamesbond
  bond0070 access14 security security1 letmeinnow opensesame homelab1 homelab123 homeserver
  mediaserver media1234 plexplex plex1234 plexserver jellyfin jellyfin1 jellyfin123 embyemby
  kodikodi synology synology1 raspberry raspberrypi raspberry1 nasserver revenge1 revenge123
  revengerevenge docker123 postgres postgres1 postgres123 kubernetes homeassistant hallo123
  passwort passwort1 passwort123 schatz123 geheim123 ficken123 sommer2024 sommer2025 sommer2026
  winter2024 winter2025 winter2026 summer2024 summer2025 summer2026 spring2024 spring2025
  spring2026 autumn2024 autumn2025 autumn2026 motdepasse azertyuiop azerty123 bonjour1 bonjour123
  doudou123 contraseña contrasena password2024 password2025 password2026 parola123 haslo123
  qwertz123 qwertzuiop q2w3e4r5 1a2b3c4d 147258369 159753456 789456123 741852963 963852741
  112233445566 121212121 12121212 13131313 20202020 22222222 33333333 44444444 55555555 66666666
  77777777 99999999 999999999 10203040 1020304050 23456789 98765432 19841984 19901990 20002000
  aaaaaaaa aaaaaaaaaa abababab xxxxxxxx zzzzzzzz !@#$%^&* !@#$%^&*() 1!2@3#4$ asdf;lkj
  correcthorse correcthorsebatterystaple trustnoone
  `
    .trim()
    .split(/\s+/),
);
