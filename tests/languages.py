"""Forty-five languages: what an ordinary description and a short title look like."""

# Language, description, title; ISO 639-1, in scripts other than Latin, then in it.
OTHER_SCRIPTS = (
    ("am", "ዛሬ በአዲስ አበባ ስለ ሙዚቃ እና ስለ ቡና እንነጋገራለን።", "ሰላም"),
    ("ar", "نتحدث في هذه الحلقة عن الموسيقى والقهوة في المدينة.", "صباح"),
    ("bg", "В този епизод говорим за музиката и за морето.", "Море"),
    ("bn", "এই পর্বে আমরা গান এবং নদী নিয়ে কথা বলি।", "গান"),
    ("el", "Σε αυτό το επεισόδιο μιλάμε για τη μουσική και τη θάλασσα.", "Φως"),
    ("fa", "در این قسمت درباره موسیقی و چای صحبت می‌کنیم.", "شب"),
    ("gu", "આ એપિસોડમાં આપણે સંગીત અને ચા વિશે વાત કરીએ છીએ.", "ગીત"),
    ("he", "בפרק הזה אנחנו מדברים על מוזיקה ועל הים.", "שיר"),
    ("hi", "इस कड़ी में हम संगीत और चाय के बारे में बात करते हैं।", "गीत"),
    ("hy", "Այս թողարկումում խոսում ենք երաժշտության մասին։", "Երգ"),
    ("ja", "この回では音楽と静かな海の話をします。", "朝の歌"),
    ("ka", "ამ ეპიზოდში ვსაუბრობთ მუსიკასა და ზღვაზე.", "ზღვა"),
    ("km", "នៅក្នុងភាគនេះ យើងនិយាយអំពីតន្ត្រី និងកាហ្វេ។", "ចម្រៀង"),
    ("kn", "ಈ ಸಂಚಿಕೆಯಲ್ಲಿ ನಾವು ಸಂಗೀತ ಮತ್ತು ಚಹಾ ಬಗ್ಗೆ ಮಾತನಾಡುತ್ತೇವೆ.", "ಹಾಡು"),
    ("ko", "이번 회에서는 음악과 조용한 바다에 대해 이야기합니다.", "바다"),
    ("lo", "ໃນຕອນນີ້ພວກເຮົາເວົ້າກ່ຽວກັບດົນຕີແລະກາເຟ.", "ເພງ"),
    ("ml", "ഈ എപ്പിസോഡിൽ നമ്മൾ സംഗീതത്തെക്കുറിച്ച് സംസാരിക്കുന്നു.", "പാട്ട്"),
    ("mr", "या भागात आपण संगीत आणि चहाबद्दल बोलतो आहोत.", "गाणे"),
    ("my", "ဒီအပိုင်းမှာ ဂီတနဲ့ လက်ဖက်ရည်အကြောင်း ပြောကြမယ်။", "သီချင်း"),
    ("ne", "यस भागमा हामी सङ्गीत र चियाको बारेमा कुरा गर्छौं।", "गीत"),
    ("pa", "ਇਸ ਕੜੀ ਵਿੱਚ ਅਸੀਂ ਸੰਗੀਤ ਅਤੇ ਚਾਹ ਬਾਰੇ ਗੱਲ ਕਰਦੇ ਹਾਂ।", "ਗੀਤ"),
    ("ru", "В этом выпуске мы говорим о музыке и о тихом море.", "Любовь"),
    ("si", "මෙම කොටසේදී අපි සංගීතය සහ තේ ගැන කතා කරමු.", "ගීතය"),
    ("ta", "இந்த பகுதியில் நாம் இசை மற்றும் தேநீர் பற்றி பேசுகிறோம்.", "பாடல்"),
    ("te", "ఈ భాగంలో మనం సంగీతం మరియు టీ గురించి మాట్లాడుకుందాం.", "పాట"),
    ("th", "ในตอนนี้เราคุยกันเรื่องดนตรีและทะเลที่เงียบสงบ", "เพลง"),
    ("uk", "У цьому випуску ми говоримо про музику й тихе море.", "Море"),
    ("ur", "اس قسط میں ہم موسیقی اور چائے کے بارے میں بات کرتے ہیں۔", "گیت"),
    ("zh", "这一期我们聊聊音乐，还有安静的大海。", "早安"),
)
LATIN_SCRIPT = (
    ("cs", "V tomto díle mluvíme o hudbě, o moři a o dobré kávě.", "Moře"),
    ("da", "I dette afsnit taler vi om musik, havet og en god kop kaffe.", "Havet"),
    ("de", "In dieser Folge reden wir über Musik, das Meer und guten Kaffee.", "Meer"),
    ("es", "En este episodio hablamos de música, del mar y de un buen café.", "El mar"),
    ("fi", "Tässä jaksossa puhumme musiikista, merestä ja hyvästä kahvista.", "Meri"),
    ("fr", "Dans cet épisode nous parlons de musique, de la mer et du café.", "La mer"),
    ("hu", "Ebben a részben a zenéről, a tengerről és a kávéról beszélünk.", "Tenger"),
    ("id", "Dalam episode ini kami berbicara tentang musik, laut dan kopi.", "Laut"),
    ("it", "In questa puntata parliamo di musica, del mare e di buon caffè.", "Mare"),
    (
        "nl",
        "In deze aflevering praten we over muziek, de zee en goede koffie.",
        "De zee",
    ),
    ("pl", "W tym odcinku rozmawiamy o muzyce, o morzu i o dobrej kawie.", "Morze"),
    ("pt", "Neste episódio falamos de música, do mar e de um bom café.", "O mar"),
    ("ro", "În acest episod vorbim despre muzică, despre mare și cafea bună.", "Marea"),
    ("sv", "I det här avsnittet pratar vi om musik, havet och gott kaffe.", "Havet"),
    ("tr", "Bu bölümde müzikten, denizden ve güzel kahveden konuşuyoruz.", "Deniz"),
    ("vi", "Trong tập này chúng tôi nói về âm nhạc, biển và cà phê ngon.", "Biển"),
)


def codes(rows):
    """Name tests by language."""
    return [language for language, _, _ in rows]
